import { describe, expect, it } from 'vitest';
import { type Json, roughBytes } from '@/lib/shared/json';

describe('roughBytes', () => {
  it('counts strings by their length and every value a little', () => {
    expect(roughBytes('x'.repeat(1_000))).toBe(1_016);
    expect(roughBytes([1, true, null])).toBe(32 + 3 * 8);
    expect(roughBytes({ a: 'xy', b: [1] })).toBe(32 + 8 + 18 + 8 + 40);
    expect(roughBytes(undefined)).toBe(8);
  });

  it('survives a value that is nested deeper than the stack', () => {
    let deep: Json = 'x';
    for (let i = 0; i < 200_000; i++) deep = [deep];
    expect(roughBytes(deep)).toBe(65 * 32);
  });
});
