import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '@/lib/shared/json';
import { MemoryMcpFleet, type ScriptedTool } from '@/server/adapters/memory/mcp-fleet';
import type { McpFleet } from '@/server/ports/mcp-fleet';
import {
  clock,
  failureOf,
  fixture,
  fleetOf,
  ORGANIZATION,
  resultOf,
  tempDir,
  toolCall,
} from './mcp-fleet-support';

/** The slow server of the fixtures, in memory. */
function scriptedSlowTool(annotations: ScriptedTool['annotations'] & object): ScriptedTool {
  return {
    annotations,
    inputSchema: {
      type: 'object',
      properties: { ms: { type: 'integer', minimum: 0 }, value: { type: 'string' } },
      required: ['value'],
    },
    run: async ({ ms, value }, { idempotencyKey, signal }) => {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Number(ms ?? 0));
        signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
      });
      return { value: { value: value ?? null, key: idempotencyKey } };
    },
  };
}

const implementations: Array<[string, () => McpFleet]> = [
  [
    'over stdio',
    () => fleetOf({ slow: fixture('slow-server.mjs', { LOG_FILE: path.join(tempDir(), 'log') }) }),
  ],
  [
    'in memory',
    () =>
      new MemoryMcpFleet(
        ORGANIZATION,
        {
          slow: {
            slow_echo: scriptedSlowTool({ idempotentHint: true, destructiveHint: false }),
            slow_write: scriptedSlowTool({}),
          },
        },
        clock,
      ),
  ],
];

describe.each(implementations)('a fleet %s', (_name, make) => {
  const call = (args: JsonObject, extra = {}) => toolCall('slow', 'slow_echo', args, extra);

  it('lists servers without connecting', async () => {
    const fleet = make();
    const [summary] = await fleet.list(ORGANIZATION);
    expect(summary).toMatchObject({
      name: 'slow',
      transport: 'stdio',
      status: 'idle',
      calls: 0,
      tools: null,
    });
  });

  it('gives the definition of a tool with its annotations', async () => {
    const fleet = make();
    expect((await fleet.tool(ORGANIZATION, 'slow', 'slow_echo')).annotations).toMatchObject({
      idempotentHint: true,
    });
    expect((await fleet.tool(ORGANIZATION, 'slow', 'slow_write')).annotations.idempotentHint).toBeUndefined();
    const detail = await fleet.inspect(ORGANIZATION, 'slow');
    expect(detail.toolList.map((tool) => tool.name).sort()).toEqual(['slow_echo', 'slow_write']);
  });

  it('names what does not exist', async () => {
    const fleet = make();
    await expect(fleet.tool(ORGANIZATION, 'slow', 'nothing')).rejects.toMatchObject({
      code: 'TOOL_NOT_FOUND',
    });
    await expect(fleet.tool(ORGANIZATION, 'nobody', 'x')).rejects.toMatchObject({ code: 'SERVER_NOT_FOUND' });
    await expect(fleet.logs(ORGANIZATION, 'nobody')).rejects.toMatchObject({ code: 'SERVER_NOT_FOUND' });
    expect(failureOf(await fleet.call(toolCall('nobody', 'x')))).toMatchObject({
      code: 'SERVER_NOT_FOUND',
      ambiguous: false,
    });
    expect(failureOf(await fleet.call(toolCall('slow', 'nothing')))).toMatchObject({
      code: 'TOOL_NOT_FOUND',
      ambiguous: false,
    });
  });

  it('calls a tool and passes the idempotency key on', async () => {
    const fleet = make();
    const result = resultOf(await fleet.call(call({ value: 'grüße' }, { idempotencyKey: 'run/step/do' })));
    expect(result.isError).toBe(false);
    expect(result.structuredContent).toEqual({ value: 'grüße', key: 'run/step/do' });
    expect(result.content).toHaveLength(1);
    expect(result.bytesOut).toBeGreaterThan(10);
    expect(result.bytesIn).toBeGreaterThan(5);
    expect(result.durationMs).toBeGreaterThanOrEqual(0);
  });

  it('keeps a place for a call once it is connected, and makes the call in it', async () => {
    const fleet = make();
    const keep = (tool = 'slow_write', organization = ORGANIZATION) =>
      fleet.keepPlace(organization, 'slow', tool);
    expect(keep()).toBeUndefined();
    await fleet.call(call({ value: 'warm' }));
    expect([
      keep('nothing'),
      keep('slow_write', 'another'),
      fleet.keepPlace(ORGANIZATION, 'nobody', 'x'),
    ]).toEqual([undefined, undefined, undefined]);
    const place = keep();
    if (place === undefined) throw new Error('No place was kept.');
    expect(place.tool).toMatchObject({ name: 'slow_write' });
    expect(place.tool.annotations.idempotentHint).toBeUndefined();
    const made = await fleet.call(toolCall('slow', 'slow_write', { value: 'x' }, { place }));
    expect(resultOf(made).structuredContent).toMatchObject({ value: 'x' });
    place.release();
    await fleet.close();
    expect(keep()).toBeUndefined();
  });

  it('refuses arguments that break the schema before sending them', async () => {
    const fleet = make();
    const missing = failureOf(await fleet.call(call({ ms: 1 })));
    expect(missing).toMatchObject({
      code: 'INVALID_TOOL_ARGUMENTS',
      ambiguous: false,
      retriable: false,
      details: { path: '/value' },
    });
    const wrong = failureOf(await fleet.call(call({ ms: 'soon', value: 'x' })));
    expect(wrong).toMatchObject({ code: 'INVALID_TOOL_ARGUMENTS', details: { path: '/ms' } });
  });

  it('gives up at the timeout, with an ambiguous outcome', async () => {
    const fleet = make();
    await fleet.call(call({ value: 'warm' }));
    const started = performance.now();
    const failure = failureOf(await fleet.call(call({ ms: 60_000, value: 'x' }, { timeoutMs: 500 })));
    expect(failure).toMatchObject({ code: 'TIMEOUT', ambiguous: true, retriable: true });
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  it('stops when the caller cancels', async () => {
    const fleet = make();
    await fleet.call(call({ value: 'warm' }));
    const controller = new AbortController();
    // Counted from when it is sent: what is taken back before that is not ambiguous.
    const beforeSending = async () => void setTimeout(() => controller.abort(), 200);
    const failure = failureOf(
      await fleet.call(call({ ms: 60_000, value: 'x' }, { signal: controller.signal, beforeSending })),
    );
    expect(failure).toMatchObject({ code: 'CANCELLED', ambiguous: true });
    const never = failureOf(await fleet.call(call({ value: 'x' }, { signal: controller.signal })));
    expect(never).toMatchObject({ code: 'CANCELLED', ambiguous: false });
  });

  it('asks once more before it sends, and sends nothing that was taken back meanwhile', async () => {
    const fleet = make();
    const controller = new AbortController();
    let asked = 0;
    const beforeSending = async () => {
      asked += 1;
      if (asked === 2) controller.abort();
    };
    const options = { signal: controller.signal, beforeSending };
    expect(resultOf(await fleet.call(call({ value: 'a' }, options))).isError).toBe(false);
    const failure = failureOf(await fleet.call(call({ value: 'b' }, options)));
    expect([asked, failure]).toEqual([2, expect.objectContaining({ code: 'CANCELLED', ambiguous: false })]);
  });

  it('runs calls side by side', async () => {
    const fleet = make();
    await fleet.call(call({ value: 'warm' }));
    const started = performance.now();
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, n) => fleet.call(call({ ms: 1_000, value: `${n}` }))),
    );
    expect(outcomes.map((outcome) => (resultOf(outcome).structuredContent as JsonObject).value)).toEqual(
      Array.from({ length: 10 }, (_, n) => `${n}`),
    );
    expect(performance.now() - started).toBeLessThan(9_000);
  });

  it('counts calls and errors', async () => {
    const fleet = make();
    await fleet.call(call({ value: 'a' }));
    await fleet.call(call({ value: 7 }));
    const [summary] = await fleet.list(ORGANIZATION);
    expect(summary).toMatchObject({ status: 'connected', calls: 2, errors: 1, tools: 2 });
    expect(summary?.latencyMs?.p50).toBeGreaterThanOrEqual(0);
    expect(summary?.lastError).toContain('/value');
  });

  it('keeps organisations apart', async () => {
    const fleet = make();
    const stranger = '018f0000-0000-7000-8000-000000000002';
    expect(await fleet.list(stranger)).toEqual([]);
    const failure = failureOf(await fleet.call({ ...call({ value: 'x' }), organizationId: stranger }));
    expect(failure.code).toBe('SERVER_NOT_FOUND');
  });

  it('refuses calls after close', async () => {
    const fleet = make();
    await fleet.call(call({ value: 'a' }));
    await fleet.close();
    expect(failureOf(await fleet.call(call({ value: 'b' })))).toMatchObject({
      code: 'SHUTTING_DOWN',
      ambiguous: false,
    });
  });
});
