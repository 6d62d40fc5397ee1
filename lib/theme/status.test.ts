import { describe, expect, it } from 'vitest';
import { NODE_STATUSES, RUN_STATUSES } from '@/lib/protocol/run';
import { GLYPHS } from '@/lib/theme/glyphs';
import { isOpenNode, isOpenRun, NODE_LOOKS, RUN_LOOKS } from '@/lib/theme/status';

describe.each([
  ['run', RUN_STATUSES, RUN_LOOKS],
  ['node', NODE_STATUSES, NODE_LOOKS],
] as const)('%s statuses', (_name, statuses, looks) => {
  const all = looks as Record<string, (typeof RUN_LOOKS)['running']>;
  it('each have a glyph, a short code and a label', () => {
    for (const status of statuses) {
      const look = all[status];
      expect(look?.code).toMatch(/^[A-Z]{2,4}$/);
      expect(look?.label.length).toBeGreaterThan(3);
      expect(Object.keys(GLYPHS)).toContain(look?.glyph);
    }
  });
  it('can be told apart without colour', () => {
    const codes = statuses.map((status) => all[status]?.code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('open', () => {
  it('holds while something can still happen', () => {
    expect(RUN_STATUSES.filter(isOpenRun)).toEqual(['running', 'paused', 'compensating']);
    expect(isOpenNode('backing_off')).toBe(true);
    expect(isOpenNode('skipped')).toBe(false);
  });
});
