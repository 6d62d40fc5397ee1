import { z } from 'zod';
import { ACTIVITY_EVENTS } from '@/lib/protocol/events-activity';
import type { EventEntry } from '@/lib/protocol/events-common';
import { NODE_EVENTS } from '@/lib/protocol/events-node';
import { RUN_EVENTS } from '@/lib/protocol/events-run';
import { isJsonObject, type Json } from '@/lib/shared/json';

const GROUPS: readonly [title: string, events: Readonly<Record<string, EventEntry>>][] = [
  ['The run', RUN_EVENTS],
  ['Calls and children', ACTIVITY_EVENTS],
  ['Nodes, branches, iterations, people', NODE_EVENTS],
];

const HEAD = `# Event catalogue

Generated from \`lib/protocol/events*.ts\` by \`node scripts/run-ts.mjs scripts/generate-docs.ts\`. Do not edit.

A run is its history: a list of events, numbered 1, 2, 3 … without gaps, that only grows while the run is open. Its state is the fold of
those events (\`replay\` in \`lib/engine\`), so every decision of the engine is an event too. *From outside* means a fact that a host, a person
or another run brings in; *engine* means a decision, or what follows from one.

Names are Temporal's event types wherever Temporal has the event; an exported history (\`toTemporalHistory\`) uses them as they are, and shows
events that Temporal does not have as \`MARKER_RECORDED\` with our name as the marker's name.

Each event has a \`type\`, a time \`at\` and a payload \`data\`; a field with a question mark may be missing.
`;

/** docs/events.md: every event type with its meaning, payload and counterpart in Temporal. */
export function eventsDocs(): string {
  const sections = GROUPS.map(([title, events]) => {
    const parts = Object.entries(events).map(([type, entry]) => section(type, entry));
    return `## ${title}\n\n${parts.join('\n')}`;
  });
  return `${HEAD}\n${sections.join('\n')}`;
}

function section(type: string, entry: EventEntry): string {
  const schema = z.toJSONSchema(entry.data, { unrepresentable: 'any', io: 'input' }) as Json;
  const rows = fields(schema);
  const table =
    rows.length === 0 ? 'No payload.\n' : `| field | type | |\n|---|---|---|\n${rows.join('\n')}\n`;
  const origin = entry.origin === 'host' ? 'from outside' : 'engine';
  return `### ${type}\n\n${entry.when}\n\n${origin} · Temporal: \`${entry.temporal}\`\n\n${table}`;
}

function fields(schema: Json): string[] {
  if (!isJsonObject(schema) || !isJsonObject(schema.properties ?? null)) return [];
  const required = new Set(Array.isArray(schema.required) ? schema.required.map(String) : []);
  return Object.entries(schema.properties as { [key: string]: Json }).map(([name, field]) => {
    const about = isJsonObject(field) && typeof field.description === 'string' ? field.description : '';
    return `| \`${name}${required.has(name) ? '' : '?'}\` | ${typeText(field, schema)} | ${about.replaceAll('|', '\\|')} |`;
  });
}

/** A JSON Schema in a few words. */
function typeText(schema: Json, root: Json): string {
  if (!isJsonObject(schema)) return 'any JSON';
  if (Array.isArray(schema.enum)) return schema.enum.map((item) => `\`${String(item)}\``).join(' or ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (typeof schema.$ref === 'string') return 'any JSON';
  if (Array.isArray(schema.anyOf)) {
    const texts = [...new Set(schema.anyOf.map((part) => typeText(part, root)))];
    return texts.length > 3 ? 'any JSON' : texts.join(' or ');
  }
  if (schema.type === 'array') return `list of ${typeText(schema.items ?? {}, root)}`;
  if (schema.type === 'object') {
    const names = isJsonObject(schema.properties ?? null) ? Object.keys(schema.properties as object) : [];
    return names.length === 0 ? 'map' : `{ ${names.join(', ')} }`;
  }
  return typeof schema.type === 'string' ? schema.type : 'any JSON';
}
