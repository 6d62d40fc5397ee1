import { describe, expect, it } from 'vitest';
import { compile } from '@/lib/engine/compile';
import { durationMs, momentMs } from '@/lib/engine/duration';
import { createRun, replay } from '@/lib/engine/step';
import { startedEvent } from '@/lib/engine/testing';
import type { EngineEvent } from '@/lib/engine/types';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { durationSchema, MAX_DURATION_MS } from '@/lib/protocol/definition-common';

const END_OF_9999 = Date.parse('9999-12-31T23:59:59.999Z');

describe('durations and moments', () => {
  it('are read with their unit, or as milliseconds', () => {
    expect(['500ms', '1.5s', '5m', '2h', ' 7d ', 3, 2.6].map(durationMs)).toEqual([
      500, 1_500, 300_000, 7_200_000, 604_800_000, 3, 3,
    ]);
    expect(momentMs('2030-01-31T12:00:00Z')).toBe(Date.UTC(2030, 0, 31, 12));
    for (const value of ['5 minutes', '-1s', -1, null])
      expect(() => durationMs(value)).toThrow('no duration');
  });

  it('of more than 100 years are refused in a definition', () => {
    for (const value of ['36525d', MAX_DURATION_MS])
      expect(durationSchema.safeParse(value).success).toBe(true);
    for (const value of [
      '36525.1d',
      '100000000d',
      `${'9'.repeat(400)}d`,
      MAX_DURATION_MS + 1,
      8_640_000_000_000_000,
    ])
      expect(durationSchema.safeParse(value).success, String(value).slice(0, 20)).toBe(false);
  });

  it('that are absurdly far away count as 100 years, or as the end of the year 9999, where a run meets them', () => {
    for (const value of ['100000000d', `${'9'.repeat(400)}d`, 8_640_000_000_000_000, 1e300])
      expect(durationMs(value)).toBe(MAX_DURATION_MS);
    for (const value of [8_640_000_000_000_001, 1e300]) expect(momentMs(value)).toBe(END_OF_9999);
  });

  it('an old definition with an absurd deadline runs; a history that holds one is folded as it was recorded', () => {
    // Stored by a version without the limit, so not through the schema.
    const definition = {
      schemaVersion: 1,
      name: 'old',
      nodes: [{ id: 'ask', kind: 'approval', deadline: '100000000d' }],
      edges: [],
    } as unknown as WorkflowDefinition;
    const program = compile(definition);
    const at = Date.parse('2026-11-27T12:00:00Z');
    const { events, state } = createRun(program, startedEvent(definition, null, at));
    expect(state.nodes.get('ask')?.approval?.deadline).toBe(at + MAX_DURATION_MS);
    const recorded = at + 8_640_000_000_000_000;
    const old = events.map((event): EngineEvent => {
      if (event.type === 'APPROVAL_REQUESTED')
        return { ...event, data: { ...event.data, deadline: recorded } };
      if (event.type === 'TIMER_STARTED') return { ...event, data: { ...event.data, fireAt: recorded } };
      return event;
    });
    const folded = replay(program, old);
    expect(folded.nodes.get('ask')?.approval?.deadline).toBe(recorded);
    expect([...folded.timers.values()]).toMatchObject([{ fireAt: recorded }]);
  });
});
