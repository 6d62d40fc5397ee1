import type { WebhookFormat } from '@/lib/protocol/webhooks';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';

/** Limits of Slack's blocks: header 150 characters, ten fields a section of 2,000 characters each. */
const SLACK_HEADER = 150;
const SLACK_FIELDS = 10;
const SLACK_FIELD = 2_000;
/** No body is larger than this; what is longer is not sent. */
const MAX_BYTES = 24_000;

const TITLES: Readonly<Record<string, string>> = {
  'run.started': 'Run started',
  'run.completed': 'Run completed',
  'run.failed': 'Run failed',
  'run.cancelled': 'Run cancelled',
  'run.terminated': 'Run terminated',
  'run.timed_out': 'Run timed out',
  'run.dead_letter': 'Run given up (dead letter)',
  'approval.requested': 'Approval needed',
  'approval.decided': 'Approval: somebody decided',
  'approval.escalated': 'Approval escalated',
  'approval.closed': 'Approval settled',
  'task.waiting': 'A call waits for an answer',
  'task.unknown_outcome': 'A call has an unknown outcome',
  'alert.raised': 'Alert',
  'alert.resolved': 'Alert resolved',
  'webhook.disabled': 'A webhook was switched off',
  'webhook.test': 'Test of a webhook',
};

/** Labels of what is shown to people, in this order; anything else of the data is for programs. */
const LABELS: readonly (readonly [string, string])[] = [
  ['message', 'Message'],
  ['title', 'Question'],
  ['workflow', 'Workflow'],
  ['runId', 'Run'],
  ['nodePath', 'Node'],
  ['failure', 'Failure'],
  ['rule', 'Rule'],
  ['subject', 'About'],
  ['outcome', 'Outcome'],
  ['decision', 'Decision'],
  ['by', 'By'],
  ['reason', 'Reason'],
  ['comment', 'Comment'],
  ['deadline', 'Deadline'],
  ['webhook', 'Webhook'],
];

const BAD = /^(run\.(failed|timed_out|dead_letter)|alert\.raised|webhook\.disabled)$/;
const WAITING = /^(approval\.(requested|escalated)|task\.)/;

/** The body that a receiver of this kind understands, as text; the same event gives the same bytes. */
export function renderBody(format: WebhookFormat, payload: JsonObject): string {
  const body = format === 'generic' ? payload : format === 'slack' ? slack(payload) : teams(payload);
  const text = JSON.stringify(body);
  if (Buffer.byteLength(text) <= MAX_BYTES) return text;
  const { type = null, timestamp = null } = payload;
  return renderBody(format, { type, timestamp, data: { truncated: true } });
}

/** Facts for people: label and text. */
function facts(payload: JsonObject): [string, string][] {
  const data = isJsonObject(payload.data) ? payload.data : {};
  return LABELS.flatMap(([name, label]): [string, string][] => {
    const value = data[name];
    if (value === undefined || value === null) return [];
    return [[label, textOf(value)]];
  });
}

function textOf(value: Json): string {
  if (isJsonObject(value)) return [value.code, value.message].filter((part) => part !== undefined).join(': ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function titleOf(payload: JsonObject): string {
  const type = String(payload.type);
  return TITLES[type] ?? type;
}

/** What Slack would take for markup stands for itself (its three control characters, and fences of ours). */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A message of Block Kit for an incoming webhook; `text` is what notifications show. */
function slack(payload: JsonObject): JsonObject {
  const title = titleOf(payload);
  const shown = facts(payload);
  const fields = shown.slice(0, SLACK_FIELDS).map(([label, text]) => ({
    type: 'mrkdwn',
    text: `*${label}*\n${slackText(text)}`.slice(0, SLACK_FIELD),
  }));
  const summary = shown[0] === undefined ? title : `${title}: ${shown[0][1]}`;
  return {
    text: slackText(summary),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: title.slice(0, SLACK_HEADER) } },
      ...(fields.length === 0 ? [] : [{ type: 'section', fields }]),
      {
        type: 'context',
        elements: [
          { type: 'mrkdwn', text: slackText(`OpenConductor · ${payload.type} · ${payload.timestamp}`) },
        ],
      },
    ],
  };
}

/** A message with one Adaptive Card, as the webhook trigger of Teams Workflows takes it. */
function teams(payload: JsonObject): JsonObject {
  const type = String(payload.type);
  const color = BAD.test(type) ? 'Attention' : WAITING.test(type) ? 'Warning' : 'Default';
  const content: JsonObject = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body: [
      { type: 'TextBlock', text: titleOf(payload), weight: 'Bolder', size: 'Medium', color, wrap: true },
      { type: 'FactSet', facts: facts(payload).map(([title, value]) => ({ title, value: plain(value) })) },
      {
        type: 'TextBlock',
        text: plain(`OpenConductor · ${type} · ${payload.timestamp}`),
        isSubtle: true,
        size: 'Small',
        wrap: true,
      },
    ],
  };
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }],
  };
}

/** Cards read a little Markdown: links and emphasis in foreign text are shown as they are written. */
function plain(text: string): string {
  return text.replace(/[\\[\]*_]/g, '\\$&');
}
