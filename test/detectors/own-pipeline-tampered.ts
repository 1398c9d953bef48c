// Cases of own-pipeline-tampered.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, awsService, refusal } from '../support/records.ts';

const queue = `https://sqs.eu-central-1.amazonaws.com/${account}/trail-events`;
const topic = `arn:aws:sns:eu-central-1:${account}:trail-topic`;

export const cases: DetectorCases = {
  detector: 'own-pipeline-tampered',
  config: { resources: ['sentrail-events', 'trail-events', topic, 'corp-log-archive'] },
  cases: [
    {
      name: 'fires when our stream is deleted',
      given: [
        apiCall({
          source: 'kinesis',
          name: 'DeleteStream',
          request: { streamName: 'sentrail-events' },
        }),
      ],
      expect: [{ severity: 'high', title: /^IAM user alice deleted sentrail-events, which/ }],
    },
    {
      name: 'knows a queue by its URL and a topic by the ARN of a subscription',
      given: [
        apiCall({ source: 'sqs', name: 'PurgeQueue', request: { queueUrl: queue } }),
        apiCall({
          source: 'sns',
          name: 'Unsubscribe',
          request: { subscriptionArn: `${topic}:0f0e0d0c-0000-4000-8000-000000000001` },
        }),
      ],
      expect: [
        { severity: 'high', title: /emptied trail-events/ },
        { severity: 'high', title: /ended a subscription of arn:aws:sns/ },
      ],
    },
    {
      name: 'is medium when the notifications of our bucket are changed',
      given: [
        apiCall({
          source: 's3',
          name: 'PutBucketNotification',
          request: { bucketName: 'corp-log-archive', NotificationConfiguration: {} },
        }),
      ],
      expect: [{ severity: 'medium', title: /changed the notifications of corp-log-archive/ }],
    },
    {
      name: 'knows a function whatever the API version in the event name',
      given: [
        apiCall({
          source: 'lambda',
          name: 'UpdateFunctionCode20150331v2',
          request: {
            functionName: `arn:aws:lambda:eu-central-1:${account}:function:sentrail-events`,
          },
        }),
      ],
      expect: [{ severity: 'high', title: /changed the code of sentrail-events/ }],
    },
    {
      name: 'tells a refused attempt as low',
      given: [
        apiCall({
          source: 'sns',
          name: 'DeleteTopic',
          request: { topicArn: topic },
          error: refusal('alice', 'sns:DeleteTopic', topic),
        }),
      ],
      expect: [{ severity: 'low', title: /tried to delete/ }],
    },
    {
      // Modelled on misc-tool-fixtures 84400298-ff4a-4410-a73d-61163e61bb65.
      name: 'stays quiet about what is not ours, also where a name only begins like one of ours',
      given: [
        apiCall({
          source: 'events',
          name: 'DeleteRule',
          request: {
            eventBusName: 'aws.partner/example.com/security-alerts',
            force: false,
            name: 'Schemas-events-event-bus-aws.partner-example.com-security-alerts',
          },
        }),
        apiCall({
          source: 'kinesis',
          name: 'DeleteStream',
          request: { streamName: 'sentrail-events-2' },
        }),
        apiCall({ source: 'sqs', name: 'PurgeQueue', request: { queueUrl: `${queue}-test` } }),
      ],
      expect: [],
    },
    {
      name: 'does not take the account or the region in an ARN for a name',
      given: [
        apiCall({ source: 'kinesis', name: 'DeleteStream', request: { streamName: account } }),
        apiCall({ source: 'sns', name: 'DeleteTopic', request: { topicArn: `${topic}-2` } }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when AWS does it, and when the record says nothing',
      given: [
        apiCall({
          source: 'kinesis',
          name: 'DeleteStream',
          request: { streamName: 'sentrail-events' },
          by: awsService('kinesis'),
        }),
        apiCall({ source: 'kinesis', name: 'DeleteStream' }),
        apiCall({ source: 'sqs', name: 'DeleteQueue', request: 5 }),
      ],
      expect: [],
    },
  ],
};
