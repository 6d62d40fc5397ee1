import { revealQuerySchema } from '@/lib/protocol/api-runs';
import { payloadPathSchema } from '@/lib/protocol/payload';
import { type Operation, operation } from '@/server/adapters/http/operation';
import type { PayloadService } from '@/server/services/payload-service';

/** Endings of the file name that is offered, by media type; anything else is `bin`. */
const ENDINGS: Record<string, string> = {
  'application/json': 'json',
  'application/pdf': 'pdf',
  'application/zip': 'zip',
  'audio/mpeg': 'mp3',
  'audio/wav': 'wav',
  'image/gif': 'gif',
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'text/csv': 'csv',
  'text/markdown': 'md',
  'text/plain': 'txt',
};

/** Shown by browsers without running anything; everything else is only ever saved. */
const SHOWN = /^(?:image\/(?:png|jpeg|gif|webp|avif)|audio\/[\w.+-]+|video\/[\w.+-]+)$/;

/** Contents that are kept apart from histories. */
export function payloadOperations(payloads: PayloadService): Operation[] {
  return [
    operation({
      id: 'downloadRunPayload',
      tag: 'runs',
      method: 'GET',
      path: '/api/v1/runs/{runId}/payloads/{sha256}',
      summary: 'Download a picture, a sound, a file or a long text that a tool answered with.',
      description:
        'Outputs hold `{"$payload": {"sha256", "bytes", "mimeType", "encoding"}}` in the place of such a part. The answer is the ' +
        'content itself under its media type; it never changes.',
      permission: 'executions:read',
      params: payloadPathSchema,
      query: revealQuerySchema,
      answers: {
        200: {
          description: 'The content.',
          content: { 'application/octet-stream': null },
          headers: ['Content-Disposition', 'ETag'],
        },
      },
      errors: ['RUN_NOT_FOUND', 'PAYLOAD_NOT_FOUND'],
      handle: async ({ actor, params, query, signal }) => {
        const { reveal } = query;
        const { facts, masked, pieces } = await payloads.open(actor, params.runId, params.sha256, reveal);
        const { mimeType, bytes, sha256 } = facts;
        const name = `payload-${sha256.slice(0, 12)}.${ENDINGS[mimeType] ?? 'bin'}`;
        const how = SHOWN.test(mimeType) ? 'inline' : 'attachment';
        return new Response(streamOf(pieces(), signal), {
          headers: {
            'content-type': mimeType.startsWith('text/') ? `${mimeType}; charset=utf-8` : mimeType,
            'content-length': String(bytes),
            'content-disposition': `${how}; filename="${name}"`,
            // Whatever a tool gave is nobody's page: it is not sniffed, and has no rights where it is shown.
            'x-content-type-options': 'nosniff',
            'content-security-policy': "default-src 'none'; sandbox",
            'cross-origin-resource-policy': 'same-origin',
            // What is shown once, or not as it is, has to be asked for again.
            ...(masked || reveal
              ? { 'cache-control': 'no-store' }
              : { 'cache-control': 'private, max-age=31536000, immutable', etag: `"${sha256}"` }),
          },
        });
      },
    }),
  ];
}

function streamOf(pieces: AsyncGenerator<Uint8Array>, signal: AbortSignal): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        if (signal.aborted) throw new Error('The caller hung up.');
        const { value, done } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        controller.error(error);
      }
    },
    async cancel() {
      await pieces.return(undefined);
    },
  });
}
