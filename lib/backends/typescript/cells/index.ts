/** The list of cells. */
import type { CellName } from '../../../spec/spec.ts'
import type { Cell } from './cell.ts'
import { gruGeneral, gruResetBeforeGeneral, lstmGeneral, lstmPeepholeGeneral, rnnGeneral } from './general.ts'
import { gru, gruResetBefore } from './gru.ts'
import { lstm, lstmPeephole } from './lstm.ts'
import { rnnRelu, rnnTanh } from './rnn.ts'

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
