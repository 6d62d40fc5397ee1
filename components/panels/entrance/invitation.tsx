'use client';

import { useEffect, useState } from 'react';
import { Frame } from '@/components/panels/entrance/frame';
import { Field } from '@/components/ui/field';
import { entrance } from '@/lib/client/identity';
import { toAppError } from '@/lib/protocol/errors';

type Invited = Awaited<ReturnType<typeof entrance.invitation>>;

/** `/invite/<id>`: joins an organisation, with a new account or the one there is. */
export function Invitation({ id }: { id: string }) {
  const [invited, setInvited] = useState<Invited | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  useEffect(() => {
    entrance.invitation(id).then(setInvited, (cause: unknown) => setFault(toAppError(cause).message));
  }, [id]);
  const send = async () => {
    if (invited?.hasAccount) {
      await entrance.signIn(invited.email, password);
      await entrance.accept(id, {});
    } else await entrance.accept(id, { name, password });
    window.location.assign('/');
  };
  if (fault !== null) {
    return (
      <Frame
        code="JOIN"
        title="Invitation"
        action="To the start"
        onSend={async () => window.location.assign('/')}
      >
        <p role="alert" className="m-0 text-danger">
          {fault}
        </p>
      </Frame>
    );
  }
  return (
    <Frame code="JOIN" title="Accept the invitation" action="Join" onSend={send}>
      <p className="m-0 text-text">
        {invited === null
          ? 'Reading the invitation …'
          : `${invited.organization} invites ${invited.email} as ${invited.role}.`}
      </p>
      {invited?.hasAccount === false ? (
        <Field label="Name" autoComplete="name" required value={name} onText={setName} />
      ) : null}
      <Field
        label={invited?.hasAccount ? 'Your password' : 'New password'}
        type="password"
        autoComplete={invited?.hasAccount ? 'current-password' : 'new-password'}
        required
        minLength={invited?.hasAccount ? 1 : 12}
        hint={invited?.hasAccount ? 'You have an account already.' : '12 characters or more.'}
        value={password}
        onText={setPassword}
      />
    </Frame>
  );
}
