// Apache Kafka 4 for tests, one broker or three: from the environment, from Maven Central, or docker.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../worker.ts';
import { type BrokerPorts, type Certificate, propertiesOf, scramUsers } from './kafka-broker.ts';
import type { Missing } from './missing.ts';

/** A cluster. Brokers are killed by `stop`, as by a crash; their data stays for `start`. */
export interface KafkaServer {
  readonly brokers: string[];
  /** Listeners where one signs in (see `kafkaUsers`), and those of TLS; absent where not ours. */
  readonly sasl?: string[];
  readonly tls?: string[];
  /** A certificate authority that signed itself, which is server and client too. */
  readonly certificate?: Certificate;
  stop(index: number): Promise<void>;
  start(index: number): Promise<void>;
  close(): Promise<void>;
}

const version = '4.3.1';
// From the project's folder, not this file's: a build of it lies elsewhere and shares the download.
const cache = join(process.cwd(), 'node_modules/.cache/sentrail/kafka');
const libraries = join(cache, `libs-${version}`);
const image = `apache/kafka:${version}`;
/** A broker is up in about five seconds here; three at once on two cores in fifteen. */
const startWaitMs = 120_000;
const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies';
const run = promisify(execFile);

/** Makes a command that runs a main class of Kafka's; `name` is that of its container, if any. */
type Runner = (name: string, main: string, args: string[], memory: string) => string[];

/** Gives a cluster, or why there is none. With addresses from outside nothing can be stopped. */
export async function startKafka(
  options: { brokers?: 1 | 3 } = {},
): Promise<KafkaServer | Missing> {
  const given = process.env['SENTRAIL_TEST_KAFKA'];
  if (given !== undefined) {
    const cannot = async () => {
      throw new Error('the brokers of SENTRAIL_TEST_KAFKA are not ours to stop');
    };
    return { brokers: given.split(','), stop: cannot, start: cannot, close: async () => {} };
  }
  const count = options.brokers ?? 1;
  if (await isInstalled()) return cluster(count, byJava);
  const hasDocker = await works('docker', ['info']);
  const folder = mkdtempSync(join(tmpdir(), 'sentrail-kafka-'));
  if (hasDocker) return cluster(count, byDocker(folder), folder);
  rmSync(folder, { recursive: true, force: true });
  const missing = 'install java 17 and mvn, or docker, or set SENTRAIL_TEST_KAFKA to host:port,…';
  return { missing };
}

const byJava: Runner = (_name, main, args, memory) => [
  'java',
  `-Xmx${memory}`,
  '-XX:+UseSerialGC',
  // Two cores: quick compilation and no profile-guided one, or start-up takes twice as long.
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-cp',
  `${libraries}/*`,
  main,
  ...args,
];

const byDocker =
  (folder: string): Runner =>
  (name, main, args, memory) => [
    ...['docker', 'run', '--rm', '--init', '--network', 'host', '--name', name],
    ...['--user', `${process.getuid?.() ?? 0}`, '-v', `${folder}:${folder}`],
    ...['--entrypoint', 'java', image, `-Xmx${memory}`, '-cp', '/opt/kafka/libs/*', main],
    ...args,
  ];

async function works(program: string, args: string[]): Promise<boolean> {
  return run(program, args).then(
    () => true,
    () => false,
  );
}

async function isInstalled(): Promise<boolean> {
  const tools = await Promise.all([works('java', ['-version']), works('openssl', ['version'])]);
  if (tools.includes(false)) return false;
  const mark = join(libraries, 'complete');
  if (existsSync(mark)) return true;
  rmSync(libraries, { recursive: true, force: true });
  mkdirSync(libraries, { recursive: true });
  const pom = join(cache, 'pom.xml');
  writeFileSync(pom, project());
  const into = `-DoutputDirectory=${libraries}`;
  if (!(await works('mvn', ['-q', '-B', '-f', pom, plugin, '-DincludeScope=runtime', into])))
    return false;
  writeFileSync(mark, '');
  return true;
}

function project(): string {
  const needed = [
    ['org.apache.kafka', 'kafka_2.13', version],
    // Kafka brings an interface for logs, but nothing that writes them.
    ['org.slf4j', 'slf4j-api', '2.0.20'],
    ['org.slf4j', 'slf4j-simple', '2.0.20'],
    ['org.apache.logging.log4j', 'log4j-core', '2.26.1'],
  ].map(
    ([group, artifact, of]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${of}</version></dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${needed.join('')}</dependencies></project>\n`;
}

async function cluster(
  count: 1 | 3,
  runner: Runner,
  folder = mkdtempSync(join(tmpdir(), 'sentrail-kafka-')),
): Promise<KafkaServer> {
  const certificate = await certified(folder);
  const nodes: BrokerPorts[] = [];
  for (let id = 1; id <= count; id++) {
    const [plain, sasl, tls, controller] = [1, 2, 3, 4].map(freePort);
    nodes.push({
      id,
      plain: (await plain) ?? 0,
      sasl: (await sasl) ?? 0,
      tls: (await tls) ?? 0,
      controller: (await controller) ?? 0,
    });
  }
  // Any 16 bytes in base64 name a cluster.
  const id = Buffer.from(folder.padEnd(16).slice(-16)).toString('base64url');
  for (const node of nodes) {
    const home = join(folder, `${node.id}`);
    mkdirSync(home);
    writeFileSync(join(home, 'server.properties'), propertiesOf(node, nodes, home, certificate));
  }
  const running = nodes.map((node) => brokerOf(node, join(folder, `${node.id}`), id, runner));
  const address = (port: number) => `127.0.0.1:${port}`;
  const close = async () => {
    await Promise.all(running.map((one) => one.kill()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(running.map((one) => one.format()));
    for (const one of running) one.launch();
    await Promise.all(running.map((one) => one.isUp()));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    brokers: nodes.map((one) => address(one.plain)),
    sasl: nodes.map((one) => address(one.sasl)),
    tls: nodes.map((one) => address(one.tls)),
    certificate,
    stop: async (index) => running[index]?.kill(),
    async start(index) {
      running[index]?.launch();
      await running[index]?.isUp();
    },
    close,
  };
}

/** One broker's process, with what it needs to be killed and started again. */
function brokerOf(node: BrokerPorts, home: string, cluster: string, runner: Runner) {
  const properties = join(home, 'server.properties');
  const name = `sentrail-kafka-${process.pid}-${node.plain}`;
  let child: ReturnType<typeof spawn> | undefined;
  let log = '';
  const killNow = () => child?.kill('SIGKILL');
  return {
    async format() {
      const args = ['format', '-t', cluster, '-c', properties, ...scramUsers];
      const [program = '', ...rest] = runner(name, 'kafka.tools.StorageTool', args, '128m');
      await run(program, rest);
    },
    launch() {
      const [program = '', ...rest] = runner(name, 'kafka.Kafka', [properties], '384m');
      child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], cwd: home });
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on('data', (text) => {
          log = (log + text).slice(-4_000);
        });
      }
      // A test that crashes leaves no broker behind.
      process.once('exit', killNow);
    },
    async isUp() {
      const until = performance.now() + startWaitMs;
      while (!(await answers(node))) {
        if (child?.exitCode !== null || performance.now() > until)
          throw new Error(`Kafka did not start: ${log}`);
        await wait(100);
      }
    },
    async kill() {
      process.removeListener('exit', killNow);
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child?.once('exit', resolve));
      if (child.spawnfile === 'docker') await works('docker', ['kill', name]);
      else child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Asks a broker whether the cluster counts it in; a port that listens is not enough. */
async function answers({ id, plain }: BrokerPorts): Promise<boolean> {
  const { Kafka, logLevel } = await import('kafkajs');
  const kafka = new Kafka({
    brokers: [`127.0.0.1:${plain}`],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    return brokers.some((one) => one.nodeId === id);
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

async function certified(folder: string): Promise<Certificate> {
  const [path, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  await run('openssl', [...kind, ...subject, '-out', path, '-keyout', keyPath]);
  const store = join(folder, 'store.pem');
  writeFileSync(store, readFileSync(keyPath, 'utf8') + readFileSync(path, 'utf8'));
  return { path, keyPath, store };
}
