// A registered domain lost its lock, was handed to another account, or got other name servers.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'domain-moved-away',
  title: 'Domain name moved away',
  severity: 'high',
  practice: 'least-privilege',
  what: 'The transfer lock of a domain was taken off, its transfer code was read, it was handed to another account, deleted, or got other name servers or another DNSSEC key.',
  why: 'Whoever holds the domain holds the mail, the web site and the password resets of everything that uses it, AWS accounts among them. It is hard to get back.',
  innocent: [
    'The company moves its domains to another registrar or account: this takes lock, code and transfer in one day.',
    'A new hosted zone becomes the one that answers: its name servers are those of Route 53.',
  ],
  firstSteps: [
    'Stop a transfer: aws route53domains enable-domain-transfer-lock --domain-name <domain>, cancel-domain-transfer-to-another-aws-account where one is pending.',
    'Put the name servers back (update-domain-nameservers) and write to AWS Support at once.',
    'Ask the keeper of the domains. If nobody answers for it, revoke the sessions of the caller.',
    'See who got certificates for the domain since then (certificate transparency logs).',
  ],
  attack: attack({ 'T1584.001': 'Compromise Infrastructure: Domains', T1565: 'Data Manipulation' }),
  cis: [],
  gaps: [
    'Records within a hosted zone are changed all day and not judged.',
    'Domains at another registrar are not in the trail.',
    'These events appear in us-east-1 only.',
  ],
};

const config = z.strictObject({});

const judged: Readonly<Record<string, readonly [severity: Severity, did: string, why: string]>> = {
  DisableDomainTransferLock: [
    'medium',
    'took the transfer lock off domain',
    'The lock is the one thing that keeps a registrar from taking it; it is needed off for a transfer only.',
  ],
  RetrieveDomainAuthCode: [
    'medium',
    'read the transfer code of domain',
    'With the code any registrar can take the domain once the lock is off.',
  ],
  TransferDomainToAnotherAwsAccount: [
    'high',
    'handed to another account domain',
    'When the other account accepts, the domain is out of reach.',
  ],
  DeleteDomain: ['high', 'deleted domain', 'A deleted domain can be registered by anybody.'],
  UpdateDomainNameservers: [
    'medium',
    'changed the name servers of domain',
    'Whoever runs the name servers decides where mail and web go.',
  ],
  PushDomain: ['high', 'moved to another registrar domain', 'The domain leaves this registrar.'],
  DisassociateDelegationSignerFromDomain: [
    'low',
    'removed a DNSSEC key of domain',
    'Answers can then be forged unnoticed.',
  ],
};

export default stateless<z.infer<typeof config>>({
  meta,
  // The service is route53domains, not route53.
  on: [
    'route53domains.amazonaws.com:DisableDomainTransferLock',
    'route53domains.amazonaws.com:RetrieveDomainAuthCode',
    'route53domains.amazonaws.com:TransferDomainToAnotherAwsAccount',
    'route53domains.amazonaws.com:DeleteDomain',
    'route53domains.amazonaws.com:UpdateDomainNameservers',
    'route53domains.amazonaws.com:PushDomain',
    'route53domains.amazonaws.com:DisassociateDelegationSignerFromDomain',
  ],
  config,
  detect(event) {
    if (isByAws(event)) return 'a service of AWS did it';
    const found = judged[event.name];
    if (found === undefined) return 'the call does not move a domain';
    const [severity, did, why] = found;
    const name = plain(event.text('requestParameters.domainName'));
    const domain = name || 'that the record does not name';
    const facts = { domain, ...targetOf(event) };
    if (event.outcome !== 'success') {
      return said(event, {
        severity: 'low',
        title: `${actorOf(event)} tried, and failed: ${event.name} of domain ${domain}`,
        reason: `Nothing changed (${plain(event.errorCode)}). From ${originOf(event)}.`,
        facts,
      });
    }
    const isHome = event.name === 'UpdateDomainNameservers' && isRoute53(event);
    const target = Object.values(targetOf(event)).join(' ');
    return said(event, {
      severity: isHome ? 'low' : severity,
      title: `${actorOf(event)} ${did} ${domain}`,
      reason: `${why}${target ? ` It goes to ${target}.` : ''}${
        isHome ? ' All of them are name servers of Route 53.' : ''
      } From ${originOf(event)}.`,
      facts,
    });
  },
});

function targetOf(event: Event): Readonly<Record<string, string>> {
  const account = plain(event.text('requestParameters.accountId'));
  if (account !== '') return { account };
  const names = serversOf(event).slice(0, 6).join(', ');
  return names === '' ? {} : { nameServers: names };
}

function serversOf(event: Event): readonly string[] {
  const list = event.field('requestParameters.nameservers');
  if (!Array.isArray(list)) return [];
  return list
    .slice(0, 20)
    .map((_, at) => plain(event.text(`requestParameters.nameservers.${at}.name`)))
    .filter((name) => name !== '');
}

// A hosted zone of a stranger has such names too: it lowers the severity and does not silence.
function isRoute53(event: Event): boolean {
  const names = serversOf(event);
  return names.length > 0 && names.every((one) => /^ns-\d+\.awsdns-\d+\.[a-z.]+$/.test(one));
}
