import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { listenBadly } from '../fixtures/mcp-servers/misbehaving-http.mjs';
import { afterTest, fixture, fleetOf, http, resultOf, tempDir, toolCall, until } from './mcp-fleet-support';

/** Cycles for each transport: few in an ordinary test run, 1,000 for the record. */
const CYCLES = Number(process.env.OC_FLEET_CYCLES ?? 40);

const descriptors = () => readdirSync('/proc/self/fd').length;

describe(`after ${CYCLES} broken connections`, () => {
  it('no process and no descriptor is left over stdio', { timeout: 600_000 }, async () => {
    const dataDir = tempDir();
    const fleet = fleetOf(
      { bad: fixture('misbehaving-server.mjs') },
      { dataDir, breaker: { failures: 1_000_000 } },
    );
    resultOf(await fleet.call(toolCall('bad', 'ok')));
    const before = descriptors();
    const ways = ['die', 'ok', 'wrong_shape', 'die'];
    for (let n = 0; n < CYCLES; n++) {
      await fleet.call(toolCall('bad', ways[n % ways.length] ?? 'ok'));
      // A fresh process for each cycle, without the delays that follow failures.
      fleet.restart('018f0000-0000-7000-8000-000000000001', 'bad');
    }
    await until(() => fleet.childPids().length === 0 && descriptors() < before);
    expect(readdirSync(`${dataDir}/run/children`)).toEqual([]);
  });

  it('no socket is left over HTTP', { timeout: 600_000 }, async () => {
    const server = await listenBadly();
    afterTest(() => server.close());
    const fleet = fleetOf({ bad: http(`${server.origin}/mcp`) }, { breaker: { failures: 1_000_000 } });
    const ways = ['ok', 'reset', 'early_close', 'html', 'hang'];
    for (let n = 0; n < CYCLES; n++) {
      const tool = ways[n % ways.length] ?? 'ok';
      await fleet.call(toolCall('bad', tool, {}, { timeoutMs: tool === 'hang' ? 20 : 5000 }));
      if (n % 10 === 0) fleet.restart('018f0000-0000-7000-8000-000000000001', 'bad');
    }
    await until(() => server.state.sockets.size < 8);
    await fleet.close();
    await until(() => server.state.sockets.size === 0);
  });
});
