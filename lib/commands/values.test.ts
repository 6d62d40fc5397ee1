import { describe, expect, it } from 'vitest';
import type { ArgValue, FlagSpec } from '@/lib/commands/types';
import { readValue } from '@/lib/commands/values';

const spec = (more: Pick<FlagSpec, 'type'> & Partial<FlagSpec>): FlagSpec => ({
  name: 'x',
  summary: 'X.',
  ...more,
});

describe('readValue', () => {
  it.each<[FlagSpec, string, ArgValue]>([
    [spec({ type: 'string' }), 'a b', 'a b'],
    [spec({ type: 'integer' }), '-7', -7],
    [spec({ type: 'boolean' }), 'false', false],
    [spec({ type: 'json' }), '{"a":[1]}', { a: [1] }],
    [spec({ type: 'json-or-file' }), 'null', { from: 'inline', value: null }],
    [spec({ type: 'json-or-file' }), '@dir/a b.json', { from: 'file', path: 'dir/a b.json' }],
    [spec({ type: 'json-or-file' }), '-', { from: 'stdin' }],
    [spec({ type: 'list' }), 'a, b', ['a', 'b']],
    [spec({ type: 'enum', values: ['timed_out'] }), 'Timed-Out', 'timed_out'],
    [spec({ type: 'duration' }), '1.5s', 1500],
    [spec({ type: 'duration' }), '2h', 7_200_000],
  ])('%j reads %s', (row, text, value) => {
    expect(readValue(row, text)).toEqual({ ok: true, value });
  });

  it.each<[FlagSpec, string, string]>([
    [spec({ type: 'string' }), '', 'must not be empty'],
    [spec({ type: 'integer' }), '1.5', 'must be a whole number, not "1.5"'],
    [spec({ type: 'integer' }), '99999999999999999999', 'must be a whole number, not "99999999999999999999"'],
    [spec({ type: 'integer', min: 1 }), '0', 'must be at least 1'],
    [spec({ type: 'integer', max: 200 }), '201', 'must be at most 200'],
    [spec({ type: 'json-or-file' }), '@', 'names no file after the @'],
    [spec({ type: 'list' }), 'a,,b', 'has an empty entry: write names split by commas'],
    [spec({ type: 'duration', min: 1 }), '0s', 'must be at least 1ms'],
  ])('%j refuses %j: %s', (row, text, message) => {
    expect(readValue(row, text)).toMatchObject({ ok: false, message });
  });

  it('suggests the unit of a bare number and the word of a slip', () => {
    expect(readValue(spec({ type: 'duration' }), '30')).toMatchObject({ ok: false, suggestion: '30s' });
    const status = spec({ type: 'enum', values: ['running', 'failed'] });
    expect(readValue(status, 'fialed')).toMatchObject({ ok: false, suggestion: 'failed' });
    expect(readValue(status, 'zzz')).not.toHaveProperty('suggestion');
  });

  it('names the place of broken JSON', () => {
    expect(readValue(spec({ type: 'json' }), '{"a":1,}')).toMatchObject({ ok: false, jsonOffset: 7 });
  });
});
