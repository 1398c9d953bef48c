// A security group let the whole internet in to a port of administration or to a database.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { actorOf, attack, cis, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'admin-port-opened-to-world',
  title: 'Administration port opened to the world',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'A rule of a security group now lets every address of the internet, or a large part of it, reach SSH, RDP, another port of administration, a database, or all ports.',
  why: 'Such ports are found within minutes and then guessed at day and night. It is also how an intruder makes a way in that needs no AWS credentials any more.',
  innocent: [
    'A bastion or an appliance that is meant to be reached from anywhere: give the group an exception with an owner.',
    'A trial in an account without anything else: close it when done.',
  ],
  firstSteps: [
    'See what uses the group: aws ec2 describe-network-interfaces --filters Name=group-id,Values=<group>. With nothing behind it there is no hurry.',
    'If it was not meant: revoke the rule (aws ec2 revoke-security-group-ingress) and use Session Manager or a VPN instead.',
    'Read the logins of the hosts behind it since the time of the rule, and what else the caller did.',
  ],
  attack: attack({
    'T1562.007': 'Impair Defenses: Disable or Modify Cloud Firewall',
    T1133: 'External Remote Services',
  }),
  cis: [...cis('3.0.0', '4.10', '5.2', '5.3'), ...cis('5.0.0', '4.10', '5.3', '5.4')],
  gaps: [
    'Whether a host, a route or a network ACL lets the traffic through is not known.',
    'Prefix lists and groups of other accounts are not looked into.',
    'A network made of many smaller ranges that together are the internet is not recognised.',
  ],
};

const config = z.strictObject({
  ports: z
    .array(z.int().min(0).max(65_535))
    .max(100)
    .default([
      21, 22, 23, 135, 445, 1433, 1521, 2375, 2376, 3306, 3389, 5432, 5439, 5900, 5985, 5986, 6379,
      9200, 10_250, 11_211, 27_017,
    ])
    .describe('Ports that should not be open to the world.'),
});

const called: Readonly<Record<number, string>> = { 22: 'SSH', 3389: 'RDP', 5985: 'WinRM' };
const rulesMax = 200;

interface Opening {
  readonly cidr: string;
  readonly protocol: string;
  readonly from: number;
  readonly to: number;
}

export default stateless<z.infer<typeof config>>({
  meta,
  on: [
    'ec2.amazonaws.com:AuthorizeSecurityGroupIngress',
    'ec2.amazonaws.com:ModifySecurityGroupRules',
  ],
  config,
  detect(event, { ports }) {
    const wide = openingsOf(event).filter(({ cidr }) => isWorld(cidr));
    if (wide.length === 0) return 'no rule lets the whole internet in';
    const open = wide.map((one) => portsIn(one, ports)).filter((one) => one !== '');
    if (open.length === 0) return 'the open ports are not those of administration or databases';
    const group = plain(
      event.text('requestParameters.groupId') ??
        event.text('requestParameters.groupName') ??
        event.text('requestParameters.ModifySecurityGroupRulesRequest.GroupId'),
    );
    const what = [...new Set(open)].slice(0, 5).join(', ');
    const from = [...new Set(wide.map(({ cidr }) => plain(cidr)))].slice(0, 3).join(', ');
    const facts = { securityGroup: group, ports: what, source: from };
    const place = `security group ${group || 'not named'}`;
    if (event.outcome !== 'success') {
      return said(event, {
        severity: 'low',
        title: `${actorOf(event)} tried to open ${what} to the world in ${place}`,
        reason: `The call from ${originOf(event)} did not succeed (${plain(event.errorCode)}).`,
        facts,
      });
    }
    return said(event, {
      severity: 'medium',
      title: `${actorOf(event)} opened ${what} to the world in ${place}`,
      reason: `The rule lets ${from} in. Whoever guesses a password or holds a key there needs no AWS credentials.`,
      facts,
    });
  },
});

// Three shapes: fields of its own, EC2's nested items, and the capitals of ModifySecurityGroupRules.
function openingsOf(event: Event): readonly Opening[] {
  const at = (path: string) => event.field(`requestParameters.${path}`);
  const own = opening(at('cidrIp'), at('ipProtocol'), at('fromPort'), at('toPort'));
  const nested = indices(at('ipPermissions.items')).flatMap((index) => {
    const rule = `ipPermissions.items.${index}`;
    const cidrs = [
      ...indices(at(`${rule}.ipRanges.items`)).map((n) => at(`${rule}.ipRanges.items.${n}.cidrIp`)),
      ...indices(at(`${rule}.ipv6Ranges.items`)).map((n) =>
        at(`${rule}.ipv6Ranges.items.${n}.cidrIpv6`),
      ),
    ];
    return cidrs.flatMap((cidr) =>
      opening(cidr, at(`${rule}.ipProtocol`), at(`${rule}.fromPort`), at(`${rule}.toPort`)),
    );
  });
  const list = 'ModifySecurityGroupRulesRequest.SecurityGroupRule';
  const changed = [list, ...indices(at(list)).map((n) => `${list}.${n}`)].flatMap((path) => {
    const rule = `${path}.SecurityGroupRule`;
    return ['CidrIpv4', 'CidrIpv6'].flatMap((cidr) =>
      opening(
        at(`${rule}.${cidr}`),
        at(`${rule}.IpProtocol`),
        at(`${rule}.FromPort`),
        at(`${rule}.ToPort`),
      ),
    );
  });
  return [...own, ...nested, ...changed].slice(0, rulesMax);
}

function indices(list: unknown): readonly number[] {
  return Array.isArray(list) ? [...list.slice(0, rulesMax).keys()] : [];
}

function opening(cidr: unknown, protocol: unknown, from: unknown, to: unknown): Opening[] {
  if (typeof cidr !== 'string') return [];
  const first = typeof from === 'number' ? from : 0;
  const last = typeof to === 'number' && to >= 0 ? to : 65_535;
  return [{ cidr, protocol: plain(protocol), from: first, to: last }];
}

// A short prefix is the internet whatever address stands before it; halves of it are a known dodge.
function isWorld(cidr: string): boolean {
  const length = /^[\d.:a-fA-F]+\/(\d{1,3})$/.exec(cidr)?.[1];
  if (length === undefined) return false;
  return Number(length) <= 3;
}

/** Gives the watched ports of an opening as text; '' when there is none. */
function portsIn({ protocol, from, to }: Opening, ports: readonly number[]): string {
  if (/^(icmp|icmpv6|1|58)$/.test(protocol)) return '';
  if (protocol === '-1' || (from <= 1 && to >= 65_535)) return 'all ports';
  const watched = ports.filter((port) => port >= from && port <= to);
  if (watched.length === 0) return '';
  if (from !== to) return `ports ${from} to ${to}`;
  return called[from] === undefined ? `port ${from}` : `${called[from]} (port ${from})`;
}
