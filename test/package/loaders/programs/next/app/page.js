import { backendInfo } from 'native-rnn'

export const dynamic = 'force-dynamic'
export default function Page() {
  return <main>{backendInfo().name}</main>
}
