// A code was made with which machines outside AWS become managed ones and get a role.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import { instanceOf, isByHand } from '../src/core/instances.ts';
import { actorOf, attack, isByAws, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'outside-machine-enrolled',
  title: 'A code for machines outside AWS was made',
  severity: 'low',
  practice: 'instance-roles',
  what: 'Somebody made a hybrid activation of Systems Manager (CreateActivation): whoever holds its code registers a machine anywhere, and that machine gets credentials of the role named.',
  why: 'A machine of an attacker that is registered gets fresh role credentials for as long as it stays registered, and nobody looks for it.',
  innocent: [
    'Servers in a data centre, or at another provider, are brought under Systems Manager.',
  ],
  firstSteps: [
    'Ask who made it and for which servers; list them: ssm describe-instance-information with mi- ids.',
    'If nobody answers for it: ssm delete-activation, deregister-managed-instance for each mi- id, and deny older sessions of the role by aws:TokenIssueTime.',
    'Read what the role of the activation may do.',
  ],
  attack: attack({
    T1098: 'Account Manipulation',
    T1133: 'External Remote Services',
  }),
  cis: [],
  gaps: [
    'The registration itself (RegisterManagedInstance) is made by the new machine and is not judged.',
    'Client VPN endpoints are not judged here.',
  ],
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: ['ssm.amazonaws.com:CreateActivation'],
  config,
  detect(event) {
    if (isByAws(event)) return 'an AWS service acted by itself';
    const isDone = event.outcome === 'success';
    const role = plain(event.text('requestParameters.iamRole')) || 'the default role';
    const limit = plain(event.field('requestParameters.registrationLimit')) || '1';
    const from = instanceOf(event);
    return said(event, {
      severity: isDone && (from !== undefined || isByHand(event)) ? 'medium' : 'low',
      title: `${actorOf(event)} ${isDone ? 'made' : 'tried to make'} a code that gives machines outside AWS role ${role}`,
      reason: [
        `Up to ${limit} machines can register with it, from anywhere.`,
        from === undefined ? '' : `The session of instance ${plain(from)} did it.`,
        isDone ? '' : `The call failed: ${plain(event.errorCode)}.`,
      ]
        .filter((one) => one !== '')
        .join(' '),
      facts: { role, registrationLimit: limit },
    });
  },
});
