import { describe, expect, it } from 'vitest';
import { createAnnouncer } from '@/lib/client/announcer';
import { createFakeTimers } from '@/lib/client/fake-timers';

describe('createAnnouncer', () => {
  it('sums up, and speaks at most once in five seconds', () => {
    const timers = createFakeTimers();
    const said: [number, string][] = [];
    const announcer = createAnnouncer(timers, (text) => said.push([timers.now(), text]));
    for (let i = 0; i < 120; i++) {
      announcer.count({ started: 1, completed: i % 2, failed: 0 });
      timers.advance(100);
    }
    timers.advance(5_000);
    expect(said.map(([at]) => at)).toEqual([500, 5_500, 10_500, 15_500]);
    expect(said[0]?.[1]).toBe('5 runs started. 2 runs completed.');
    const started = said.map(([, text]) => Number.parseInt(text, 10));
    expect(started.reduce((sum, count) => sum + count, 0)).toBe(120);
  });
  it('says nothing when nothing happened', () => {
    const timers = createFakeTimers();
    const said: string[] = [];
    const announcer = createAnnouncer(timers, (text) => said.push(text));
    announcer.count({ started: 0, completed: 0, failed: 0 });
    timers.advance(60_000);
    expect(said).toEqual([]);
  });
  it('keeps the newest sentence', () => {
    const timers = createFakeTimers();
    const said: string[] = [];
    const announcer = createAnnouncer(timers, (text) => said.push(text));
    announcer.say('Connection lost.');
    announcer.say('Connected again, 3 events replayed.');
    announcer.count({ started: 0, completed: 0, failed: 1 });
    timers.advance(1_000);
    expect(said).toEqual(['Connected again, 3 events replayed. 1 run failed.']);
  });
});
