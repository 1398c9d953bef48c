// MFA Delete was switched off on a bucket: its versions can be deleted without a second factor.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import { actorOf, attack, cis, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 's3-mfa-delete-disabled',
  title: 'MFA Delete switched off on a bucket',
  severity: 'medium',
  practice: 'mfa',
  what: 'Root switched off MFA Delete on an S3 bucket. Others may send the same setting, as deployment tools do, but only root with its device can change it.',
  why: 'MFA Delete keeps old versions and the versioning itself from being removed without the device of root. It is switched off before data or logs are destroyed for good.',
  innocent: [
    'The bucket is to get a lifecycle configuration, which MFA Delete does not allow.',
    'The bucket is being retired.',
  ],
  firstSteps: [
    'Ask the keeper of root for the ticket; see what root-account-used says of the same session.',
    'Look whether the bucket holds logs or backups, and whether versions were deleted or versioning suspended since.',
    'Switch it on again as root, or protect the bucket with Object Lock.',
  ],
  attack: attack({
    T1485: 'Data Destruction',
    T1490: 'Inhibit System Recovery',
  }),
  cis: [...cis('3.0.0', '2.1.2'), ...cis('5.0.0', '2.1.2')],
  gaps: [
    'What the setting was before is not in the record: root may confirm what was off already.',
  ],
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: ['s3.amazonaws.com:PutBucketVersioning'],
  config,
  detect(event) {
    const value = event.text('requestParameters.VersioningConfiguration.MfaDelete');
    if (value?.toLowerCase() !== 'disabled') return 'MFA Delete is not switched off by it';
    if (isByAws(event)) return 'AWS made the call';
    if (event.outcome !== 'success') return 'the call failed and changed nothing';
    if (event.identityType !== 'Root') return 'only root can switch it off, so it was off already';
    const bucket = plain(event.text('requestParameters.bucketName')) || 'a bucket';
    return said(event, {
      severity: 'medium',
      title: `${actorOf(event)} switched off MFA Delete on ${bucket}`,
      reason: `Old versions and versioning of ${bucket} can now be removed without a second factor. The call came from ${originOf(event)}.`,
      facts: { bucket },
    });
  },
});
