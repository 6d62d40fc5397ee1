import { describe, expect, it } from 'vitest';
import { createSealer } from '@/server/adapters/sealer';

const KEY = 'k'.repeat(32);

describe('a sealer', () => {
  const sealer = createSealer(KEY);

  it('opens what it sealed, in the same place only', () => {
    const sealed = sealer.seal('späte Münze ✓', 'secret\norg\nTOKEN');
    expect(Buffer.from(sealed).toString('utf8')).not.toContain('Münze');
    expect(createSealer(KEY).open(sealed, 'secret\norg\nTOKEN')).toBe('späte Münze ✓');
    expect(() => sealer.open(sealed, 'secret\nother\nTOKEN')).toThrow('moved to another place');
  });

  it('never gives the same bytes twice', () => {
    expect(Buffer.from(sealer.seal('x', 'c'))).not.toEqual(Buffer.from(sealer.seal('x', 'c')));
  });

  it('notices every altered byte', () => {
    const sealed = sealer.seal('value', 'c');
    for (let at = 0; at < sealed.length; at++) {
      const altered = Uint8Array.from(sealed);
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(() => sealer.open(altered, 'c'), `byte ${at}`).toThrow();
    }
    expect(() => sealer.open(sealed.subarray(0, 10), 'c')).toThrow('damaged');
  });

  it('says when the key is another one', () => {
    const other = createSealer('o'.repeat(32));
    expect(() => other.open(sealer.seal('value', 'c'), 'c')).toThrow('under another key');
  });
});
