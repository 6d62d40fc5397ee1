import { describe, expect, it } from 'vitest';
import { createSealer, createSealKey, Keyring, keyIdOf } from '@/server/adapters/sealer';

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

describe('a keyring', () => {
  const [old, next] = ['o'.repeat(32), 'n'.repeat(32)].map(createSealKey) as [
    ReturnType<typeof createSealKey>,
    ReturnType<typeof createSealKey>,
  ];
  const context = 'secret\norg\nTOKEN';

  it('opens what the version before sealed', () => {
    const sealed = Buffer.from(
      '011e6d4b3faab34bd4719a117a5294b9adbe40eb724d3e71acaa8d96e6ede8b9c2847c56bd9f5b757f5e42cba1986bb80feb',
      'hex',
    );
    expect(createSealer(KEY).open(sealed, context)).toBe('späte Münze ✓');
    const moved = createSealer(KEY).reseal(sealed, context);
    expect(moved[0]).toBe(2);
    expect(createSealer(KEY).open(moved, context)).toBe('späte Münze ✓');
  });

  it('seals so that the version before can open it as long as that is wanted', () => {
    const ring = new Keyring(old);
    ring.use({ keyId: old.id, form: 1 });
    const sealed = ring.seal('value', context);
    expect([sealed[0], sealed.length]).toEqual([1, 1 + 4 + 12 + 16 + 'value'.length]);
    expect(ring.open(sealed, context)).toBe('value');
  });

  it('wraps the data key anew and leaves the value as it is', () => {
    const before = new Keyring(old).seal('value', context);
    const ring = new Keyring(next, [old]);
    expect(ring.open(before, context)).toBe('value');
    const after = ring.reseal(before, context);
    expect([keyIdOf(before), keyIdOf(after)]).toEqual([old.id, next.id]);
    const value = (bytes: Uint8Array) => Buffer.from(bytes.slice(1 + 4 + 12 + 16 + 32)).toString('hex');
    expect(value(after)).toBe(value(before));
    expect(new Keyring(next).open(after, context)).toBe('value');
    expect(() => new Keyring(old).open(after, context)).toThrow(next.id);
    expect(() => ring.reseal(before, 'secret\norg\nOTHER')).toThrow('moved to another place');
  });

  it('seals under the key that was agreed on, or its own when it does not have that one', () => {
    const ring = new Keyring(next, [old]);
    ring.use({ keyId: old.id, form: 2 });
    expect([keyIdOf(ring.seal('v', 'c')), ring.sealsUnder]).toEqual([old.id, old.id]);
    ring.use({ keyId: 'ffffffff', form: 2 });
    expect(keyIdOf(ring.seal('v', 'c'))).toBe(next.id);
    expect([ring.holds(old.id), ring.holds('ffffffff'), ring.mainId]).toEqual([true, false, next.id]);
  });

  it('every value has a data key of its own', () => {
    const ring = new Keyring(old);
    const parts = [ring.seal('v', 'c'), ring.seal('v', 'c')];
    // The data key of the one with the value of the other.
    const [one, other] = parts as [Uint8Array, Uint8Array];
    const mixed = Uint8Array.from([...one.slice(0, 65), ...other.slice(65)]);
    expect(() => ring.open(mixed, 'c')).toThrow('was altered');
  });
});
