import { describe, expect, it } from 'vitest';
import { didYouMean, editDistance } from '@/lib/commands/distance';
import { COMMANDS } from '@/lib/commands/registry';
import { suggest } from '@/lib/commands/suggest';

describe('suggest', () => {
  it.each([
    ['ORC', 'orchestrate'],
    ['stop a run', 'run cancel'],
    ['abort', 'run cancel'],
    ['failed runs', 'run list'],
    ['start workflow', 'orchestrate'],
    ['history of a run', 'run history'],
    ['tools of server', 'server tools'],
    ['check definition', 'workflow validate'],
    ['servers', 'server list'],
    ['databse', 'health'],
    ['srv', 'server list'],
    ['?', 'help'],
  ])('%s finds %s first', (query, name) => {
    expect(suggest(query)[0]?.command.name).toBe(name);
  });

  it('gives every command for nothing typed, and none for nonsense', () => {
    expect(suggest('', { limit: 999 }).map((row) => row.command)).toEqual(COMMANDS);
    expect(suggest('xqzzy')).toEqual([]);
  });

  it('keeps to the surface, the role and the limit', () => {
    const viewer = suggest('', { role: 'viewer', surface: 'bar', limit: 999 }).map((row) => row.command.name);
    expect(viewer).toContain('run list');
    expect(viewer).not.toContain('run cancel');
    expect(viewer).not.toContain('start');
    expect(suggest('', { limit: 3 })).toHaveLength(3);
  });
});

describe('didYouMean', () => {
  it.each([
    ['fialed', 'failed'],
    ['orchestrat', 'orchestrate'],
    ['filesytem', 'filesystem'],
    ['MEMORY', 'memory'],
    ['xyz', undefined],
    ['', undefined],
  ])('%s → %s', (word, meant) => {
    expect(didYouMean(word, ['failed', 'orchestrate', 'filesystem', 'memory'])).toBe(meant);
  });

  it('gives up at once on what nobody typed', () => {
    expect(didYouMean('m'.repeat(1_000_000), ['memory'])).toBeUndefined();
  });

  it('counts edits', () => {
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('ab', 'ba')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });
});
