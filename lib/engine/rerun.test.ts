import { describe, expect, it } from 'vitest';
import { planRerun } from '@/lib/engine/rerun';
import { Bench } from '@/lib/engine/testing';

const define = (nodes: object[], edges: object[] = []) => ({ schemaVersion: 1, name: 'runs', nodes, edges });
const call = (id: string, more: object = {}) => ({
  id,
  kind: 'activity',
  activity: 'f',
  retry: { maxAttempts: 1 },
  ...more,
});
const edge = (from: string, to: string) => ({ from, to });

describe('retry keeps no result that rests on one that is gone', () => {
  const undo = { compensate: { activity: 'undo' } };
  const retry = (bench: Bench) => planRerun(bench.program, bench.state, { mode: 'retry' });
  const paths = (bench: Bench) => Object.keys(retry(bench)).sort();
  const body = (nodes: object[], edges: object[] = []) => ({ nodes, edges });

  it.each([
    ['sequential', { nodes: [call('flight', undo)] }, 'trip/flight'],
    ['loop', { mode: 'for-each', items: [1], body: body([call('flight', undo)]) }, 'trip/0/flight'],
    ['parallel', { branches: [{ id: 'out', ...body([call('flight', undo)]) }] }, 'trip/out/flight'],
  ])('of a %s in which a booking was undone: it is booked again before it is paid', (kind, more, flight) => {
    const definition = define([{ id: 'trip', kind, ...more }, call('pay')], [edge('trip', 'pay')]);
    const first = new Bench(definition);
    first.complete(flight);
    first.fail('pay');
    first.complete(flight, null, 'compensate');
    expect(first.state.status).toBe('failed');
    const second = new Bench(definition, {}, { seeds: retry(first) });
    expect(second.commands.map((command) => 'nodePath' in command && command.nodePath)).toEqual([flight]);
  });

  it('of a container: what is good inside it is kept', () => {
    const first = new Bench(
      define(
        [
          { id: 'trip', kind: 'sequential', nodes: [call('quote'), call('flight', undo), call('seat')] },
          call('pay'),
        ],
        [edge('trip', 'pay')],
      ),
    );
    for (const path of ['trip/quote', 'trip/flight', 'trip/seat']) first.complete(path);
    first.fail('pay');
    first.complete('trip/flight', null, 'compensate');
    expect(paths(first)).toEqual(['trip/quote']);
  });

  it('of a node after one that was undone', () => {
    const first = new Bench(
      define(
        [call('a', undo), { id: 'b', kind: 'transform', output: '${a.output}' }, call('s'), call('c')],
        [edge('a', 'b'), edge('b', 'c')],
      ),
    );
    first.complete('s', 'kept');
    first.complete('a', 'id-1');
    first.fail('c');
    first.complete('a', null, 'compensate');
    expect(paths(first)).toEqual(['s']);
    expect(
      planRerun(first.program, first.state, { mode: 'rerun-from', nodeId: 'c' }),
      'nor does a rerun from a node',
    ).toEqual({ s: { output: 'kept' } });
  });

  it('of a node after a failure that was gone on from', () => {
    const first = new Bench(
      define([call('a', { onError: 'continue' }), call('b'), call('c')], [edge('a', 'b'), edge('b', 'c')]),
    );
    first.fail('a');
    first.complete('b', 'made without a');
    first.fail('c');
    expect(paths(first)).toEqual([]);
  });

  it('of an open loop over items that are made anew', () => {
    const first = new Bench(
      define(
        [
          call('a', undo),
          { id: 'l', kind: 'loop', mode: 'for-each', items: '${a.output}', body: body([call('i')]) },
        ],
        [edge('a', 'l')],
      ),
    );
    first.complete('a', ['x', 'y']);
    first.complete('l/0/i', 'of x');
    first.fail('l/1/i');
    first.complete('a', null, 'compensate');
    expect(paths(first)).toEqual([]);
  });

  it('of later iterations of a while loop', () => {
    const first = new Bench(
      define([
        {
          id: 'l',
          kind: 'loop',
          mode: 'while',
          while: 'index < 3',
          maxIterations: 3,
          body: body([call('q'), call('i', { compensate: { activity: 'undo' } })], [edge('q', 'i')]),
        },
      ]),
    );
    first.complete('l/0/q');
    first.complete('l/0/i');
    first.complete('l/1/q');
    first.fail('l/1/i');
    first.complete('l/0/i', null, 'compensate');
    expect(paths(first)).toEqual(['l/0/q']);
  });

  it('does not call again what an aggregator with cancelRest had given up', () => {
    const definition = define(
      [call('m'), call('a'), { id: 'j', kind: 'aggregator', join: 'any', cancelRest: true }, call('pay')],
      [edge('a', 'j'), edge('m', 'j'), edge('j', 'pay')],
    );
    const first = new Bench(definition);
    first.complete('a');
    first.fail('pay');
    expect(first.node('m').status).toBe('cancelled');
    const second = new Bench(definition, {}, { seeds: retry(first) });
    expect(second.commands.map((command) => 'nodePath' in command && command.nodePath)).toEqual(['pay']);
    second.complete('pay');
    expect(second.state.status).toBe('completed');
  });

  it('but what another way led to stays: the first of several results, and branches that were given up', () => {
    const race = new Bench(
      define(
        [call('a'), call('m', undo), { id: 'j', kind: 'aggregator', join: 'any' }, call('pay'), call('c')],
        [edge('a', 'j'), edge('m', 'j'), edge('j', 'pay'), edge('pay', 'c')],
      ),
    );
    race.complete('a', 'first');
    race.now += 1000;
    race.complete('m', 'late');
    race.complete('pay');
    race.fail('c');
    race.complete('m', null, 'compensate');
    expect(paths(race)).toEqual(['a', 'j', 'pay']);
    const mirrors = new Bench(
      define(
        [call('a'), call('m'), { id: 'j', kind: 'aggregator', join: 'any' }, call('pay')],
        [edge('a', 'j'), edge('m', 'j'), edge('j', 'pay')],
      ),
    );
    mirrors.fail('m');
    mirrors.complete('a');
    mirrors.fail('pay');
    expect(paths(mirrors)).toEqual(['a', 'j']);
    const branches = new Bench(
      define(
        [
          {
            id: 'p',
            kind: 'parallel',
            branchJoin: 'any',
            branches: [
              { id: 'l', nodes: [call('a')] },
              { id: 'r', nodes: [call('b', undo), call('d')], edges: [edge('b', 'd')] },
            ],
          },
          call('pay'),
        ],
        [edge('p', 'pay')],
      ),
    );
    branches.complete('p/r/b');
    branches.complete('p/l/a');
    branches.fail('pay');
    branches.complete('p/r/b', null, 'compensate');
    expect(paths(branches)).toEqual(['p']);
  });
});
