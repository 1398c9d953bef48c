// A fake Kinesis as a process of its own, so that what it costs is not charged to whom it serves.
import { startFakeKinesis } from '../support/fake-kinesis.ts';

const server = await startFakeKinesis();
// It lives as long as the process that forked it.
process.on('disconnect', () => process.exit(0));
process.send?.(server.endpoint);
