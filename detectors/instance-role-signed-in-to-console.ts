// Credentials of an instance were turned into a console session.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import { instanceOf } from '../src/core/instances.ts';
import { attack, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'instance-role-signed-in-to-console',
  title: 'An instance role signed in to the console',
  severity: 'high',
  practice: 'instance-roles',
  what: 'The role session of an EC2 instance asked for a console sign-in token or signed in to the AWS console.',
  why: 'A program has no use for the console. Somebody took the credentials of the instance and looks at the account with a browser, and that session does not end when the instance stops.',
  innocent: [
    'An administrator on a bastion who opens the console with the role of the bastion, which hides who it was.',
  ],
  firstSteps: [
    'Find who was on the instance at that time (Session Manager and SSH logs), and compare the address.',
    'If nobody answers for it: deny older sessions of the role by aws:TokenIssueTime, isolate the instance and keep its disks.',
    'Read what the console session did: the events of the same role with sessionCredentialFromConsole.',
  ],
  attack: attack({
    'T1021.007': 'Remote Services: Cloud Services',
    'T1552.005': 'Unsecured Credentials: Cloud Instance Metadata API',
    'T1550.001': 'Use Alternate Authentication Material: Application Access Token',
  }),
  cis: [],
  gaps: ['A role that the instance assumed first has another session name and is not recognised.'],
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: ['signin.amazonaws.com:ConsoleLogin', 'signin.amazonaws.com:GetSigninToken'],
  config,
  detect(event) {
    const instance = instanceOf(event);
    if (instance === undefined) return 'not the session of an instance';
    const result =
      event.text('responseElements.ConsoleLogin') ?? event.text('responseElements.GetSigninToken');
    const isGiven = event.outcome === 'success' && result?.toLowerCase() !== 'failure';
    const what =
      event.name === 'GetSigninToken' ? 'get a console sign-in token' : 'sign in to the console';
    const did =
      event.name === 'GetSigninToken' ? 'got a console sign-in token' : 'signed in to the console';
    return said(event, {
      severity: isGiven ? 'high' : 'medium',
      title: `Credentials of instance ${plain(instance)} (role ${event.principal.name}) ${
        isGiven ? did : `were refused to ${what}`
      }`,
      reason: `Programs on instances do not use the console; somebody at ${originOf(event)} holds the credentials of the instance.`,
      facts: { instance: plain(instance), userAgent: plain(event.userAgent) },
    });
  },
});
