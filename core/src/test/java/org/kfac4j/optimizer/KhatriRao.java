package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.kfac4j.Dense;
import org.kfac4j.Problem;
import org.kfac4j.curvature.ExampleRows;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * F̃ = (E[ā_i ā_jᵀ] ⊗ E[g_i g_jᵀ])_ij of a network of dense layers in full, arXiv:1503.05671 eq. 1,
 * with the diagonal factors damped as §6.3 has it.
 *
 * @param strength γ²
 */
record KhatriRao(
    Problem problem, List<ParameterBlock> blocks, List<ExampleRows> rows, double strength) {
  static KhatriRao of(Problem problem, double[] theta, FisherType fisher, double strength) {
    List<ParameterBlock> blocks = problem.network().weightBlocks();
    List<ExampleRows> rows =
        blocks.stream().map(block -> ExampleRows.of(problem, theta, fisher, block)).toList();
    return new KhatriRao(problem, blocks, rows, strength);
  }

  /** E[ā_i ā_jᵀ], not damped. */
  double[][] inputs(int i, int j) {
    double[][] sum = Dense.zeros(blocks.get(i).rows(), blocks.get(j).rows());
    for (int n = 0; n < problem.count(); n++) {
      sum =
          Dense.plus(
              sum,
              Dense.outer(
                  rows.get(i).examples().get(n).inputs()[0],
                  rows.get(j).examples().get(n).inputs()[0]));
    }
    return Dense.scaled(1.0 / problem.count(), sum);
  }

  /** E[g_i g_jᵀ], not damped. */
  double[][] gradients(int i, int j) {
    double[][] sum = Dense.zeros(blocks.get(i).columns(), blocks.get(j).columns());
    for (int n = 0; n < problem.count(); n++) {
      for (int p = 0; p < rows.get(i).examples().get(n).gradients().size(); p++) {
        sum =
            Dense.plus(
                sum,
                Dense.outer(
                    rows.get(i).examples().get(n).gradients().get(p)[0],
                    rows.get(j).examples().get(n).gradients().get(p)[0]));
      }
    }
    return Dense.scaled(1.0 / problem.count(), sum);
  }

  private double pi(int i) {
    double a = Dense.trace(inputs(i, i)) / blocks.get(i).rows();
    double g = Dense.trace(gradients(i, i)) / blocks.get(i).columns();
    return Math.sqrt(a / g);
  }

  /** One block of F̃, damped if it is on the diagonal. */
  double[][] block(int i, int j) {
    if (i != j) {
      return Dense.kronecker(inputs(i, j), gradients(i, j));
    }
    double gamma = Math.sqrt(strength);
    return Dense.kronecker(
        Dense.shifted(inputs(i, i), pi(i) * gamma), Dense.shifted(gradients(i, i), gamma / pi(i)));
  }

  /** F̃. */
  double[][] matrix() {
    int n = problem.network().parameterCount();
    double[][] matrix = Dense.zeros(n, n);
    for (int i = 0; i < blocks.size(); i++) {
      for (int j = 0; j < blocks.size(); j++) {
        double[][] block = block(i, j);
        for (int k = 0; k < block.length; k++) {
          System.arraycopy(
              block[k],
              0,
              matrix[blocks.get(i).offset() + k],
              blocks.get(j).offset(),
              block[k].length);
        }
      }
    }
    return matrix;
  }

  /** The part of a matrix over θ between blocks i and j. */
  double[][] part(double[][] matrix, int i, int j) {
    List<double[]> part = new ArrayList<>();
    for (int k = blocks.get(i).offset(); k < blocks.get(i).end(); k++) {
      part.add(Arrays.copyOfRange(matrix[k], blocks.get(j).offset(), blocks.get(j).end()));
    }
    return part.toArray(double[][]::new);
  }
}
