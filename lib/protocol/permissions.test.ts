import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Actor, ROLES } from '@/lib/protocol/actor';
import {
  ALL_PERMISSIONS,
  may,
  PERMISSIONS,
  permissionsOf,
  requirePermission,
  standingOf,
  weakestRole,
  withImplied,
} from '@/lib/protocol/permissions';

const actor = (facts: Partial<Actor>): Actor => ({
  kind: 'user',
  id: 'u',
  organizationId: '00000000-0000-0000-0000-000000000001',
  role: 'viewer',
  displayName: 'U',
  ...facts,
});

describe('the table of permissions', () => {
  it('gives the three roles of the first document what it gave them', () => {
    const reads = ['workflows:read', 'executions:read', 'tasks:read'] as const;
    for (const one of reads) expect(permissionsOf('viewer').has(one)).toBe(true);
    expect(permissionsOf('viewer').has('workflows:execute')).toBe(false);
    expect(permissionsOf('operator').has('workflows:execute')).toBe(true);
    expect(permissionsOf('operator').has('workflows:write')).toBe(false);
    for (const one of ALL_PERMISSIONS.filter((it) => /^(workflows|executions|tasks):/.test(it)))
      expect(permissionsOf('admin').has(one), one).toBe(true);
    expect(permissionsOf('admin').has('users:manage')).toBe(true);
    expect(permissionsOf('operator').has('users:manage')).toBe(false);
  });

  it('leaves the owner nothing to wish for, and the organisation to the owner', () => {
    expect([...permissionsOf('owner')].sort()).toEqual([...ALL_PERMISSIONS].sort());
    expect(weakestRole('organization:manage')).toBe('owner');
    expect(weakestRole('secrets:read')).toBe('admin');
  });

  it('goes by the list of an actor that has one, whatever its role', () => {
    const limited = actor({ role: 'owner', permissions: ['secrets:read'] });
    expect(may(limited, 'secrets:read')).toBe(true);
    expect(may(limited, 'workflows:read')).toBe(false);
    expect(() => requirePermission(limited, 'workflows:read')).toThrow(/workflows:read \(role viewer\)/);
  });

  it('adds what a permission is of no use without', () => {
    expect(withImplied(['approvals:decide'])).toEqual([
      'executions:read',
      'tasks:read',
      'approvals:decide',
      'about:read',
    ]);
    expect(withImplied(['users:manage'])).toContain('users:read');
  });

  it('lets a role of one’s own stand where the built-in role stands that it covers', () => {
    for (const role of ROLES) expect(standingOf(permissionsOf(role))).toBe(role);
    expect(standingOf(new Set(['secrets:write']))).toBe('viewer');
  });

  it('is what docs/security.md shows', () => {
    const docs = readFileSync(resolve(import.meta.dirname, '../../docs/security.md'), 'utf8');
    expect(docs).toContain(table());
  });
});

/** The table as Markdown. */
function table(): string {
  const head = `| permission | ${ROLES.join(' | ')} | what it allows |\n| --- | ${ROLES.map(() => ':-:').join(' | ')} | --- |`;
  const rows = ALL_PERMISSIONS.map((one) => {
    const marks = ROLES.map((role) => (permissionsOf(role).has(one) ? '✓' : ' '));
    return `| \`${one}\` | ${marks.join(' | ')} | ${PERMISSIONS[one]} |`;
  });
  return [head, ...rows].join('\n');
}
