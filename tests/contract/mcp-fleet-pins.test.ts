import { describe, expect, it } from 'vitest';
import { MemoryToolPinStore } from '@/server/adapters/memory/tool-pin-store';
import type { FleetEvent, ToolPinPolicy } from '@/server/ports/mcp-fleet';
import { listen, setVersion } from '../fixtures/mcp-servers/modern-server.mjs';
import {
  afterTest,
  failureOf,
  fixture,
  fleetOf,
  http,
  ORGANIZATION,
  textOf,
  toolCall,
  until,
} from './mcp-fleet-support';

async function twoRuns(policy: ToolPinPolicy) {
  setVersion(1);
  const server = await listen();
  afterTest(() => server.close());
  afterTest(() => setVersion(1));
  const store = new MemoryToolPinStore();
  const events: FleetEvent[] = [];
  const run = () =>
    fleetOf({ m: http(server.url) }, { pins: { store, policy }, onEvent: (event) => events.push(event) });
  const first = run();
  expect(textOf(await first.call(toolCall('m', 'versioned')))).toBe('ok');
  await first.close();
  expect(events.some((event) => event.type === 'tools-changed')).toBe(false);
  setVersion(2);
  return { fleet: run(), events };
}

describe('a tool whose description changed between two runs', () => {
  it('is blocked under the policy block, with the diff, until it is accepted', async () => {
    const { fleet, events } = await twoRuns('block');
    const failure = failureOf(await fleet.call(toolCall('m', 'versioned')));
    expect(failure).toMatchObject({
      code: 'TOOL_BLOCKED',
      ambiguous: false,
      details: { tool: 'versioned', kind: 'changed' },
    });
    expect(textOf(await fleet.call(toolCall('m', 'echo', { value: 'others go on' })))).toBe('others go on');
    const changed = events.filter((event) => event.type === 'tools-changed');
    expect(changed).toHaveLength(1);
    expect(changed[0]).toMatchObject({ organizationId: ORGANIZATION, server: 'm', blocked: ['versioned'] });
    expect(changed[0]?.changes[0]?.text).toBe(
      '~ tool versioned\n  - /description: "Version 1 of this tool."\n  + /description: "Version 2 of this tool."',
    );
    expect(await fleet.toolChanges(ORGANIZATION, 'm')).toHaveLength(1);
    await fleet.acceptTools(ORGANIZATION, 'm');
    expect(textOf(await fleet.call(toolCall('m', 'versioned')))).toBe('ok');
    expect(await fleet.toolChanges(ORGANIZATION, 'm')).toEqual([]);
  });

  it('is told and still called under the policy warn', async () => {
    const { fleet, events } = await twoRuns('warn');
    expect(textOf(await fleet.call(toolCall('m', 'versioned')))).toBe('ok');
    expect(events.filter((event) => event.type === 'tools-changed')).toMatchObject([{ blocked: [] }]);
  });

  it('passes unnoticed under the policy off', async () => {
    const { fleet, events } = await twoRuns('off');
    expect(textOf(await fleet.call(toolCall('m', 'versioned')))).toBe('ok');
    expect(events.some((event) => event.type === 'tools-changed')).toBe(false);
  });
});

describe('a tool that changes during a connection', () => {
  it('is told without a call, and a new tool is blocked as well', async () => {
    const events: FleetEvent[] = [];
    const fleet = fleetOf(
      { bad: fixture('misbehaving-server.mjs') },
      { pins: { store: new MemoryToolPinStore(), policy: 'block' }, onEvent: (event) => events.push(event) },
    );
    expect(textOf(await fleet.call(toolCall('bad', 'change')))).toBe('changed');
    await until(() => events.some((event) => event.type === 'tools-changed'));
    expect(failureOf(await fleet.call(toolCall('bad', 'added'))).code).toBe('TOOL_BLOCKED');
    expect(failureOf(await fleet.call(toolCall('bad', 'change'))).code).toBe('TOOL_BLOCKED');
    expect(textOf(await fleet.call(toolCall('bad', 'ok')))).toBe('fine');
  });
});

describe('what happens in the fleet', () => {
  it('is told as events', async () => {
    const events: FleetEvent[] = [];
    const fleet = fleetOf(
      {
        bad: fixture('misbehaving-server.mjs'),
        crash: fixture('misbehaving-server.mjs', { START: 'crash' }),
      },
      { onEvent: (event) => events.push(event) },
    );
    await fleet.call(toolCall('bad', 'die'));
    await fleet.call(toolCall('crash', 'ok'));
    await fleet.probe(ORGANIZATION, 'bad');
    const told = events.map((event) => `${event.server} ${event.type}`);
    expect(told).toEqual([
      'bad connected',
      'bad disconnected',
      'crash connect-failed',
      'bad connected',
      'bad health',
    ]);
    expect(events[1]).toMatchObject({ reason: 'exit code 3' });
    expect(events[2]).toMatchObject({ code: 'SERVER_START_FAILED' });
  });
});
