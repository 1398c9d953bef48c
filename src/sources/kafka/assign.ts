// Who reads which partitions, where all of a topic belong to one worker and the others stand by.
import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';

const version = 1;

/** Takes the ids of members and who has the topic now, if known; gives who shall have it. */
export function ownerOf(members: readonly string[], present: string | undefined): string {
  if (present !== undefined && members.includes(present)) return present;
  return [...members].sort()[0] ?? '';
}

/**
 * Gives the assigner of a group in which one member reads every partition. Members tell in their
 * metadata whether they have them now, so that a worker that joins takes nothing from one that works.
 */
export function oneReader(isReading: () => boolean): PartitionAssigner {
  return ({ cluster }) => ({
    name: 'SentrailOneReader',
    version,
    async assign({ members, topics }) {
      const reading = members.find(({ memberMetadata }) => {
        const metadata = AssignerProtocol.MemberMetadata.decode(memberMetadata);
        return metadata?.userData.toString() === 'reading';
      });
      const ids = members.map((one) => one.memberId);
      const owner = ownerOf(ids, reading?.memberId);
      return members.map(({ memberId }) => {
        const assignment = Object.fromEntries(
          topics.map((topic) => [
            topic,
            memberId === owner
              ? cluster.findTopicPartitionMetadata(topic).map((one) => one.partitionId)
              : [],
          ]),
        );
        return {
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version,
            assignment,
            userData: Buffer.alloc(0),
          }),
        };
      });
    },
    protocol({ topics }) {
      const userData = Buffer.from(isReading() ? 'reading' : '');
      const metadata = AssignerProtocol.MemberMetadata.encode({ version, topics, userData });
      return { name: 'SentrailOneReader', metadata };
    },
  });
}
