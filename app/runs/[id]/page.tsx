import type { Metadata } from 'next';
import { RunScreen } from '@/components/screens/run-screen';

interface RunPageProps {
  params: Promise<{ id: string }>;
}

export async function generateMetadata({ params }: RunPageProps): Promise<Metadata> {
  const { id } = await params;
  return { title: `Run ${id.slice(-8)}` };
}

/** `/runs/{id}`: one run on the whole screen. */
export default async function Page({ params }: RunPageProps) {
  const { id } = await params;
  return <RunScreen runId={decodeURIComponent(id)} />;
}
