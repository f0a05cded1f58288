/** Pages and edge runtimes load no addons. */
import type { Backend } from '../interface.ts'

export function nativeBackends(): { backends: Backend[]; reason?: string } {
  return { backends: [], reason: 'pages and edge runtimes load no addons' }
}
