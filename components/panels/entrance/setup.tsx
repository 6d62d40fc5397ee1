'use client';

import { useState } from 'react';
import { Frame } from '@/components/panels/entrance/frame';
import { Field } from '@/components/ui/field';
import { entrance } from '@/lib/client/identity';

/** `/setup#token`: the first owner, by the link that was printed at start. */
export function Setup() {
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const send = async () => {
    // Behind the #: it never reaches a server's log.
    await entrance.firstOwner({ token: window.location.hash.slice(1), name, email, password });
    window.location.assign('/');
  };
  return (
    <Frame code="OWNR" title="Become the first owner" action="Create the account" onSend={send}>
      <p className="m-0 text-dim">The link is good once. Whoever uses it owns this OpenConductor.</p>
      <Field label="Name" autoComplete="name" required autoFocus value={name} onText={setName} />
      <Field label="E-mail" type="email" autoComplete="username" required value={email} onText={setEmail} />
      <Field
        label="Password"
        type="password"
        autoComplete="new-password"
        required
        minLength={12}
        hint="12 characters or more."
        value={password}
        onText={setPassword}
      />
    </Frame>
  );
}
