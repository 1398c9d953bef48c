// The calendar of the sample: which machines, people, jobs and stories are at work on which day.
import {
  attach,
  createPolicy,
  plan,
  release,
  sandboxPolicy,
  turnOnValidation,
} from './deployments.ts';
import { secondsOf, type TrailEvent } from './event.ts';
import { rootNoise, serviceEvents } from './noise.ts';
import {
  backup,
  development,
  global,
  home,
  management,
  people,
  production,
  seed,
} from './organisation.ts';
import {
  browse,
  onCallUser,
  portalLogin,
  portalToCli,
  portalToConsole,
  samlLogin,
  typeCommands,
} from './people.ts';
import { type Log, newLog } from './sessions.ts';
import {
  centralRoot,
  contractorLogin,
  openCiTrust,
  rootByNight,
  rootTypo,
  routinePolicy,
  type Story,
  sandboxEscape,
  terraformDay,
} from './stories.ts';
import { beatOf } from './workloads.ts';

/** The week: Monday to Sunday, in UTC. */
export const days = [9, 10, 11, 12, 13, 14, 15].map(
  (day) => `2026-11-${String(day).padStart(2, '0')}`,
);

/** Everything that happened, in no order, and the stories in it. */
export interface Week {
  readonly events: readonly TrailEvent[];
  readonly stories: readonly Story[];
}

const slotSeconds = 300;
/** Real accounts are never still; here machines rest between beats, to keep the sample small. */
const beatsADay: readonly (readonly [string, string, number, number])[] = [
  [production, home, 8, 2],
  [production, global, 4, 1],
  [production, backup, 1, 1],
  [development, home, 5, 2],
  [development, global, 2, 1],
  [management, home, 4, 2],
  [management, global, 2, 1],
];

/** Gives the week; always the same. */
export function theWeek(): Week {
  const parts = {
    machines: newLog(`${seed}/machines`),
    people: newLog(`${seed}/people`),
    deployments: newLog(`${seed}/deployments`),
    stories: newLog(`${seed}/stories`),
  };
  for (const [index, day] of days.entries()) machinesOf(parts.machines, day, index >= 5);
  const noise = noiseOf(parts.machines);
  const logins = days.slice(0, 5).map((day) => peopleOf(parts.people, day));
  deploymentsOf(parts.deployments);
  const stories = [
    rootByNight(parts.stories),
    sandboxEscape(parts.stories),
    contractorLogin(parts.stories),
    loginMorning(logins[1] ?? []),
    centralRoot(parts.stories),
    openCiTrust(parts.stories),
    terraformDay(parts.stories),
    noise,
    rootTypo(parts.stories),
  ];
  return { events: Object.values(parts).flatMap((log) => log.events), stories };
}

function machinesOf(log: Log, day: string, isWeekend: boolean): void {
  const midnight = secondsOf(`${day}T00:00:00Z`) + 86_400;
  for (const [account, region, usual, slots] of beatsADay) {
    const count = isWeekend ? Math.ceil(usual * 0.6) : usual;
    for (let index = 0; index < count; index++) {
      // The last beat of a day is delivered after midnight, into the next day's folder.
      const away = Math.floor((86_400 * index) / count / slotSeconds);
      const jitter = index === 0 ? 0 : log.random.whole(0, 10);
      const delivered = midnight - (away + jitter) * slotSeconds;
      for (let slot = 0; slot < slots; slot++) {
        const time = delivered - 418 - slot * slotSeconds;
        beatOf(log, { time, over: 290, account, region });
      }
    }
  }
}

function noiseOf(log: Log): Story {
  // Within a beat of the machines, so that they share its files.
  const near = (day: string) => secondsOf(`${day}T00:00:00Z`) + 86_400 - 400;
  const times = [near('2026-11-10'), near('2026-11-12'), near('2026-11-14')];
  serviceEvents(log, near('2026-11-13'));
  return {
    story: 'aws-acts-as-root',
    quiet: true,
    accounts: [production, development],
    eventIds: rootNoise(log, times),
    expectDetector: 'root-account-used',
    what:
      'AWS services act in the name of an account, which the record shows as Root; nobody ' +
      'signed in.',
  };
}

/** Gives the ids of the day's federated sign-ins to the console. */
function peopleOf(log: Log, day: string): string[] {
  const morning = secondsOf(`${day}T08:02:10Z`);
  const isLoginMorning = day === days[1];
  const logins: string[] = [];
  for (const [index, person] of Object.values(people).entries()) {
    const time = morning + index * 95 + log.random.whole(0, 60);
    portalLogin(log, person, time);
    const [first, second] = person.access;
    if (first === undefined) continue;
    if (isLoginMorning || log.random.chance(0.5)) {
      const { by, login } = portalToConsole(log, person, first, time + 30);
      logins.push(login);
      browse(log, by, time + 38, 160);
    } else {
      typeCommands(log, person, portalToCli(log, person, first, time + 30), time + 34);
    }
    if (second === undefined || !(isLoginMorning || log.random.chance(0.4))) continue;
    const { by, login } = portalToConsole(log, person, second, time + 240);
    logins.push(login);
    browse(log, by, time + 250, 100);
  }
  const afternoon = secondsOf(`${day}T13:12:30Z`) + log.random.whole(0, 30) * 60;
  const { tomas, owen } = people;
  for (const [index, person] of [tomas, owen].entries()) {
    const [choice] = person.access;
    if (choice === undefined) continue;
    const by = portalToCli(log, person, choice, afternoon + index * 70);
    typeCommands(log, person, by, afternoon + index * 70 + 9);
  }
  if (day === days[0] || day === days[3]) onCallUser(log, afternoon + 30, day === days[3]);
  if (isLoginMorning) logins.push(samlLogin(log, morning + 700));
  return logins;
}

function loginMorning(eventIds: readonly string[]): Story {
  return {
    story: 'login-morning',
    quiet: true,
    accounts: [management, production, development],
    eventIds,
    expectDetector: 'console-login-without-mfa',
    what:
      'A morning of Identity Center sign-ins and one through SAML, all with MFAUsed "No": ' +
      'the identity provider asked for the second factor.',
  };
}

function deploymentsOf(log: Log): void {
  const at = (day: number, time: string) => secondsOf(`${days[day]}T${time}Z`);
  const monday = plan(log, development, at(0, '09:41:12'));
  createPolicy(log, monday, sandboxPolicy());
  attach(log, monday, { user: 'leila.haddad' }, sandboxPolicy().name);
  release(log, plan(log, production, at(0, '14:05:48')));
  release(log, plan(log, production, at(1, '11:22:05')));
  release(log, plan(log, development, at(1, '15:10:31')));
  const thursday = plan(log, development, at(3, '10:36:20'));
  routinePolicy(log, thursday);
  release(log, plan(log, production, at(3, '13:58:44')));
  release(log, plan(log, production, at(4, '10:02:17')));
  plan(log, management, at(4, '11:15:09'));
  turnOnValidation(log, plan(log, management, at(6, '21:04:36')));
}
