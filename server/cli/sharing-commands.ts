import type { SHARE_LEVELS } from '@/lib/protocol/permissions';
import { type ShareView, type SharingBody, type SharingView, sharingSchema } from '@/lib/protocol/sharing';
import { badInput, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { clean } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';
import { findView } from '@/server/cli/view-commands';

const COLUMNS: readonly Column<ShareView>[] = [
  { title: 'WITH', value: (row) => row.name },
  { title: 'LEVEL', value: (row) => row.level },
  { title: 'SUBJECT', value: (row) => row.subject },
];

type Level = (typeof SHARE_LEVELS)[number];

/** One object as the commands reach its sharing. */
interface Place {
  label: string;
  read(): Promise<SharingView>;
  write(body: SharingBody, seen: number): Promise<SharingView>;
}

type Find<A> = (args: A, context: CliContext) => Promise<Place>;

const ofWorkflow: Find<{ workflow: string }> = async ({ workflow: name }, { api }) => {
  const path = '/api/v1/workflows/{name}/sharing';
  return {
    label: name,
    read: () => api.send('get', path, { path: { name }, schema: sharingSchema }),
    write: (body, seen) =>
      api.send('put', path, {
        path: { name },
        headers: { 'if-match': `"v${seen}"` },
        body,
        schema: sharingSchema,
      }),
  };
};

const ofView: Find<{ view: string }> = async (args, context) => {
  const { viewId, name } = await findView(args.view, context);
  const path = '/api/v1/views/{viewId}/sharing';
  return {
    label: name,
    read: () => context.api.send('get', path, { path: { viewId }, schema: sharingSchema }),
    write: (body, seen) =>
      context.api.send('put', path, {
        path: { viewId },
        headers: { 'if-match': `"v${seen}"` },
        body,
        schema: sharingSchema,
      }),
  };
};

async function told(place: Place, sharing: SharingView, { output }: CliContext): Promise<number> {
  const { restricted, shares } = sharing;
  const people = () => {
    if (shares.length > 0) output.table(shares, COLUMNS);
    else output.line(restricted ? 'Only its creator and administrators reach it.' : 'Shared with nobody.');
    const says = restricted
      ? 'restricted: those it is shared with, its creator and administrators'
      : 'not restricted: everybody as their role says, those it is shared with with more';
    output.line(output.paint('dim', `${clean(place.label)}  ${says}`));
  };
  await output.record(sharing, people, shares, COLUMNS);
  return EXIT.ok;
}

function show<A>(find: Find<A>) {
  return async (args: A, context: CliContext): Promise<number> => {
    const place = await find(args, context);
    return told(place, await place.read(), context);
  };
}

function change<A>(find: Find<A>, edit: (now: SharingView, args: A) => SharingBody) {
  return async (args: A, context: CliContext): Promise<number> => {
    const place = await find(args, context);
    const now = await place.read();
    return told(place, await place.write(edit(now, args), now.version), context);
  };
}

interface Whom {
  with?: readonly string[] | undefined;
  level?: Level | undefined;
}

/** Shares as they are sent: by id, as they were read. */
function kept({ shares }: SharingView) {
  return shares.map(({ subject, level }) => ({ subject, level }));
}

/** True when a share is meant by what was typed: its subject, or the name that is shown. */
function isMeant({ subject, name }: ShareView, typed: string): boolean {
  return subject === typed || typed.toLowerCase() === `${subject.split(':')[0]}:${name}`.toLowerCase();
}

function whom({ with: typed }: Whom): readonly string[] {
  if (typed !== undefined && typed.length > 0) return typed;
  throw badInput('INVALID_INPUT', 'Say with whom.', {
    path: '--with',
    next: 'Give --with user:EMAIL, --with team:NAME or --with everyone; several with commas.',
  });
}

function shared(now: SharingView, args: Whom): SharingBody {
  const typed = whom(args);
  const others = now.shares.filter((share) => !typed.some((one) => isMeant(share, one)));
  const more = typed.map((subject) => ({ subject, level: args.level ?? ('read' as const) }));
  return { restricted: now.restricted, shares: [...kept({ ...now, shares: others }), ...more] };
}

function unshared(now: SharingView, args: Whom): SharingBody {
  const typed = whom(args);
  const unknown = typed.find((one) => !now.shares.some((share) => isMeant(share, one)));
  if (unknown !== undefined) {
    throw badInput('INVALID_INPUT', `It is not shared with ${unknown}.`, {
      path: '--with',
      next: 'Take it as WITH and SUBJECT of `sharing` show it.',
    });
  }
  const others = now.shares.filter((share) => !typed.some((one) => isMeant(share, one)));
  return { restricted: now.restricted, shares: kept({ ...now, shares: others }) };
}

const restricted = (now: SharingView): SharingBody => ({ restricted: true, shares: kept(now) });
const unrestricted = (now: SharingView): SharingBody => ({ restricted: false, shares: kept(now) });

/** `workflow sharing|share|unshare|restrict|unrestrict` */
export const workflowSharing = {
  show: show(ofWorkflow),
  share: change<{ workflow: string } & Whom>(ofWorkflow, shared),
  unshare: change<{ workflow: string } & Whom>(ofWorkflow, unshared),
  restrict: change(ofWorkflow, restricted),
  unrestrict: change(ofWorkflow, unrestricted),
};

/** `view sharing|share|unshare|restrict|unrestrict` */
export const viewSharing = {
  show: show(ofView),
  share: change<{ view: string } & Whom>(ofView, shared),
  unshare: change<{ view: string } & Whom>(ofView, unshared),
  restrict: change(ofView, restricted),
  unrestrict: change(ofView, unrestricted),
};
