import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Cluster } from '../../server/adapters/postgres/embedded/cluster';
import { keepPostgres } from './postgres.mjs';

const MINUTE = 60_000;

let time: number;
/** Ends the Postgres that runs. */
let end: () => void;
let launches: number;
let givenUp: boolean;

async function launch(): Promise<Cluster> {
  launches += 1;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const url = 'postgresql://postgres@127.0.0.1:5000/openconductor';
  return { url, port: 5000, pid: 1, adopted: false, logFile: 'postgres.log', ended, stop: async () => end() };
}

/** Lets it run for some minutes, ends it, and waits for what comes of that. */
async function endAfter(minutes: number): Promise<void> {
  time += minutes * MINUTE;
  const before = launches;
  end();
  await vi.waitFor(() => expect(launches > before || givenUp).toBe(true));
}

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  vi.spyOn(console, 'error').mockReturnValue(undefined);
  [time, launches, givenUp] = [0, 0, false];
  await keepPostgres(
    launch,
    () => {
      givenUp = true;
    },
    () => time,
  );
});
afterEach(() => vi.restoreAllMocks());

it('gives a Postgres up that ends for the sixth time, each time within ten minutes', async () => {
  for (let i = 0; i < 5; i++) await endAfter(9);
  expect([launches, givenUp]).toEqual([6, false]);
  await endAfter(9);
  expect([launches, givenUp]).toEqual([6, true]);
});

it('ends of a Postgres that lie ten quiet minutes or more apart do not add up', async () => {
  for (let i = 0; i < 3; i++) await endAfter(1);
  for (let i = 0; i < 20; i++) await endAfter(11);
  expect([launches, givenUp]).toEqual([24, false]);
  for (let i = 0; i < 4; i++) await endAfter(1);
  expect(givenUp).toBe(false);
  await endAfter(1);
  expect([launches, givenUp]).toEqual([28, true]);
});
