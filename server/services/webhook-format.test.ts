import { describe, expect, it } from 'vitest';
import { WEBHOOK_EVENTS, WEBHOOK_FORMATS } from '@/lib/protocol/webhooks';
import type { JsonObject } from '@/lib/shared/json';
import { renderBody } from '@/server/services/webhook-format';

const failed = {
  type: 'run.failed',
  timestamp: '2026-11-21T00:00:00.000Z',
  data: {
    runId: 'r1',
    workflow: 'orders',
    failure: { code: 'TOOL_ERROR', message: '<!channel> [link](https://x) & more' },
  },
};
const body = (format: (typeof WEBHOOK_FORMATS)[number], payload: JsonObject) =>
  JSON.parse(renderBody(format, payload)) as JsonObject;

describe('formats', () => {
  it('generic: the event as it is', () => {
    expect(body('generic', failed)).toEqual(failed);
  });

  it('slack: header, fields and context, with markup of others taken as text', () => {
    const sent = body('slack', failed);
    expect(sent.text).toBe('Run failed: orders');
    expect(sent.blocks).toEqual([
      { type: 'header', text: { type: 'plain_text', text: 'Run failed' } },
      {
        type: 'section',
        fields: [
          { type: 'mrkdwn', text: '*Workflow*\norders' },
          { type: 'mrkdwn', text: '*Run*\nr1' },
          {
            type: 'mrkdwn',
            text: '*Failure*\nTOOL_ERROR: &lt;!channel&gt; [link](https://x) &amp; more',
          },
        ],
      },
      {
        type: 'context',
        elements: [{ type: 'mrkdwn', text: 'OpenConductor · run.failed · 2026-11-21T00:00:00.000Z' }],
      },
    ]);
  });

  it('teams: one Adaptive Card in a message, links of others shown as they are written', () => {
    const sent = body('teams', failed);
    expect(sent).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          contentUrl: null,
          content: {
            type: 'AdaptiveCard',
            version: '1.4',
            body: [{ type: 'TextBlock', text: 'Run failed', color: 'Attention' }, { type: 'FactSet' }, {}],
          },
        },
      ],
    });
    expect(JSON.stringify(sent)).toContain('\\\\[link\\\\](https://x)');
  });

  it('has a title of its own for every event', () => {
    const titles = WEBHOOK_EVENTS.map((type) =>
      String(body('slack', { type, timestamp: '', data: {} }).text),
    );
    expect(new Set(titles).size).toBe(WEBHOOK_EVENTS.length);
    for (const title of titles) expect(title).not.toContain('.');
  });

  it.each(WEBHOOK_FORMATS)('%s: no body is large, and the limits of blocks are kept', (format) => {
    const long = 'ä'.repeat(30_000);
    const text = renderBody(format, { ...failed, data: { ...failed.data, workflow: long, message: long } });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(24_000);
    expect(JSON.parse(text)).toBeTypeOf('object');
  });
});
