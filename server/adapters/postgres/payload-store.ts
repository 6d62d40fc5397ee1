import type pg from 'pg';
import { AppError } from '@/lib/protocol/errors';
import { referencedIn } from '@/lib/protocol/payload';
import type { PrismaClient } from '@/server/adapters/postgres/generated/client';
import { isRefusal, LARGE, type Statements } from '@/server/adapters/postgres/pool';
import { inOrganization } from '@/server/adapters/postgres/prisma';
import type { HandedContent } from '@/server/ports/execution-store';
import type { PayloadFacts, PayloadReader, Payloads } from '@/server/ports/payloads';

const FIND = `SELECT sha256, mime_type AS "mimeType", bytes FROM workflow_payload
  WHERE run_id = $1::uuid AND sha256 = $2 AND organization_id = $3::uuid`;

const READ = `SELECT substring(body FROM $4::int + 1 FOR $5::int) AS piece FROM workflow_payload
  WHERE run_id = $1::uuid AND sha256 = $2 AND organization_id = $3::uuid`;

const PUT = `INSERT INTO workflow_payload (run_id, sha256, organization_id, mime_type, bytes, body)
  SELECT $1::uuid, p.sha256, $2::uuid, p.mime_type, octet_length(p.body), p.body
  FROM unnest($3::text[], $4::text[], $5::bytea[]) AS p(sha256, mime_type, body)
  ON CONFLICT DO NOTHING`;

const ADOPT = `INSERT INTO workflow_payload (run_id, sha256, organization_id, mime_type, bytes, body)
  SELECT w.r, w.h, w.o, p.mime_type, p.bytes, p.body
  FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS w(o, r, h)
  CROSS JOIN LATERAL (
    SELECT mime_type, bytes, body FROM workflow_payload WHERE organization_id = w.o AND sha256 = w.h LIMIT 1
  ) AS p
  WHERE NOT EXISTS (SELECT 1 FROM workflow_payload k WHERE k.run_id = w.r AND k.sha256 = w.h)
  ON CONFLICT DO NOTHING`;

/** The contents that a command to a run refers to. `text` is the command as JSON. */
export function handedIn(organizationId: string, runId: string, text: string): HandedContent[] {
  return referencedIn(text).map((sha256) => ({ organizationId, runId, sha256 }));
}

/**
 * Gives runs their own copies of contents. Done before the command that refers to them is written: a copy that then turns out
 * not to be needed goes with its week.
 */
export async function adoptPayloads(pool: Statements, contents: readonly HandedContent[]): Promise<void> {
  if (contents.length === 0) return;
  const values = [
    contents.map(({ organizationId }) => organizationId),
    contents.map(({ runId }) => runId),
    contents.map(({ sha256 }) => sha256),
  ];
  await pool.query({ text: ADOPT, values, ...LARGE });
}

/**
 * Payloads as the engine works with them.
 *
 * @param pool connections as oc_engine
 */
export function createPayloads(pool: pg.Pool): Payloads {
  const ask = async <T extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<T[]> => {
    try {
      return (await pool.query<T>(text, values)).rows;
    } catch (error) {
      if (isRefusal(error)) throw error;
      throw new AppError('DATABASE_UNAVAILABLE', 'The database did not answer about a payload.', {
        cause: error,
      });
    }
  };
  return {
    async put(organizationId, runId, payloads) {
      await ask(PUT, [
        runId,
        organizationId,
        payloads.map(({ sha256 }) => sha256),
        payloads.map(({ mimeType }) => mimeType),
        payloads.map(({ body }) => Buffer.from(body.buffer, body.byteOffset, body.byteLength)),
      ]);
    },

    async find(organizationId, runId, sha256) {
      return (await ask<PayloadFacts>(FIND, [runId, sha256, organizationId]))[0] ?? null;
    },

    async read(organizationId, runId, sha256, offset, length) {
      const rows = await ask<{ piece: Buffer }>(READ, [runId, sha256, organizationId, offset, length]);
      return rows[0]?.piece ?? new Uint8Array();
    },
  };
}

/**
 * Payloads as people read them, within one organisation.
 *
 * @param prisma a client that connects as oc_app
 */
export function createPayloadReader(prisma: PrismaClient): PayloadReader {
  return {
    async find(organizationId, runId, sha256) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const rows = await tx.$queryRawUnsafe<PayloadFacts[]>(FIND, runId, sha256, organizationId);
        return rows[0] ?? null;
      });
    },

    async read(organizationId, runId, sha256, offset, length) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const values = [runId, sha256, organizationId, offset, length];
        const rows = await tx.$queryRawUnsafe<{ piece: Uint8Array }[]>(READ, ...values);
        return rows[0]?.piece ?? new Uint8Array();
      });
    },
  };
}
