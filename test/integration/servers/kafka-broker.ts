// What a broker for tests is told: its listeners, users, certificates and short waits.

/** The ports of one broker. */
export interface BrokerPorts {
  readonly id: number;
  readonly plain: number;
  readonly sasl: number;
  readonly tls: number;
  readonly controller: number;
}

/** Paths of a certificate, its key, and both in one file. */
export interface Certificate {
  readonly path: string;
  readonly keyPath: string;
  readonly store: string;
}

/** Who may sign in at the SASL listener, by PLAIN and both kinds of SCRAM. */
export const kafkaUsers = { reader: 'reader-secret', stranger: 'stranger-secret' } as const;

/** What the storage tool is told so that users of SCRAM are there from the start. */
export const scramUsers: readonly string[] = Object.entries(kafkaUsers).flatMap(
  ([name, password]) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((kind) => [
      '--add-scram',
      `${kind}=[name=${name},password=${password}]`,
    ]),
);

/** Takes a node, all nodes, a folder and a certificate; gives the text of its server.properties. */
export function propertiesOf(
  node: BrokerPorts,
  nodes: readonly BrokerPorts[],
  home: string,
  certificate: Certificate,
): string {
  const copies = nodes.length;
  const inSync = Math.min(2, copies);
  const at = (port: number) => `127.0.0.1:${port}`;
  const outside = `PLAINTEXT://${at(node.plain)},SASL_PLAINTEXT://${at(node.sasl)},SSL://${at(node.tls)}`;
  const modules = 'org.apache.kafka.common.security';
  const scram = `${modules}.scram.ScramLoginModule required;`;
  const plainUsers = Object.entries(kafkaUsers).map(([name, text]) => `user_${name}="${text}"`);
  const sasl = 'listener.name.sasl_plaintext';
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': nodes.map((one) => `${one.id}@${at(one.controller)}`).join(','),
    listeners: `${outside},CONTROLLER://${at(node.controller)}`,
    'advertised.listeners': outside,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map':
      'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL',
    'log.dirs': `${home}/data`,
    'default.replication.factor': copies,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': inSync,
    // On, so that a client that makes topics by asking for them is found out.
    'auto.create.topics.enable': true,
    // Tests wait for sessions to end and for leaders to move.
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1_000,
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
    // Retention is looked at and deleted files are removed within a second.
    'log.retention.check.interval.ms': 1_000,
    'log.segment.delete.delay.ms': 1_000,
    'log.initial.task.delay.ms': 500,
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`${sasl}.plain.sasl.jaas.config`]: `${modules}.plain.PlainLoginModule required ${plainUsers.join(' ')};`,
    [`${sasl}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${sasl}.scram-sha-512.sasl.jaas.config`]: scram,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': true,
    'super.users': 'User:ANONYMOUS',
    'listener.name.ssl.ssl.keystore.type': 'PEM',
    'listener.name.ssl.ssl.keystore.location': certificate.store,
    'listener.name.ssl.ssl.truststore.type': 'PEM',
    'listener.name.ssl.ssl.truststore.location': certificate.path,
    'listener.name.ssl.ssl.client.auth': 'requested',
  })
    .map(([key, value]) => `${key}=${value}`)
    .join('\n');
}
