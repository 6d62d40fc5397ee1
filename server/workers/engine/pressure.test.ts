import { describe, expect, it } from 'vitest';
import { Pressure } from '@/server/workers/engine/pressure';

describe('Pressure', () => {
  it('admits everybody below the limit', () => {
    const pressure = new Pressure(4, () => {});
    for (let i = 0; i < 3; i++) pressure.add('a');
    expect([pressure.admits('a'), pressure.admits('b'), pressure.value]).toEqual([true, true, 3]);
  });

  it('at the limit refuses who has his share and admits who has not', () => {
    const pressure = new Pressure(4, () => {});
    for (let i = 0; i < 4; i++) pressure.add('flood');
    expect(pressure.admits('flood')).toBe(false);
    expect(pressure.admits('quiet')).toBe(true);
    pressure.add('quiet');
    expect(pressure.admits('quiet')).toBe(true);
    pressure.add('quiet');
    expect(pressure.admits('quiet')).toBe(false);
  });

  it('tells once that there is room again, only after a refusal', () => {
    let told = 0;
    const pressure = new Pressure(4, () => told++);
    for (let i = 0; i < 4; i++) pressure.add('a');
    for (let i = 0; i < 4; i++) pressure.remove('a');
    expect(told).toBe(0);
    for (let i = 0; i < 4; i++) pressure.add('a');
    pressure.admits('a');
    pressure.remove('a');
    expect(told).toBe(0);
    pressure.remove('a');
    pressure.remove('a');
    expect([told, pressure.value]).toEqual([1, 1]);
  });
});
