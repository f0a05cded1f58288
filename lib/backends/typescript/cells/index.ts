/** The list of cells. */
import type { CellName } from '../../../spec/spec.ts'
import type { Cell } from './cell.ts'
import { gru, gruGeneral, gruResetBefore, gruResetBeforeGeneral } from './gru.ts'
import { lstm, lstmGeneral, lstmPeephole, lstmPeepholeGeneral } from './lstm.ts'
import { rnnGeneral, rnnRelu, rnnTanh } from './rnn.ts'

export const cells: Readonly<Record<CellName, Cell>> = {
  rnnTanh,
  rnnRelu,
  gru,
  gruResetBefore,
  lstm,
  lstmPeephole,
  rnnGeneral,
  gruGeneral,
  gruResetBeforeGeneral,
  lstmGeneral,
  lstmPeepholeGeneral,
}
