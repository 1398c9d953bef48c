// NOTE TO THE KINESIS HELPER: the Kinesis source is DONE and under test: src/sources/kinesis/*.ts,
// test/sources/kinesis.test.ts. Write no Kinesis source here and do not change aws-retry.ts. Please stop
// now, commit nothing more under src/, and report what you would have done better.
export {};
