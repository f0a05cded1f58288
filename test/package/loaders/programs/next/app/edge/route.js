// On Next's edge runtime, which is edge-light.
import { work } from '../../page.mjs'

export const runtime = 'edge'
export const dynamic = 'force-dynamic'
export async function GET() {
  return Response.json(await work())
}
