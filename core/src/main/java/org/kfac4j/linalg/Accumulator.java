package org.kfac4j.linalg;

import org.jspecify.annotations.Nullable;

/**
 * A matrix that products are added to. Clearing it costs nothing: the first product overwrites what
 * was there.
 */
public final class Accumulator {
  private final Matrix sum;
  private boolean empty = true;
  private @Nullable Deferred deferred;

  /** Something that keeps what it adds in a form of its own until somebody wants the sum. */
  @FunctionalInterface
  public interface Deferred {
    /** Adds what has been kept since it was deferred. */
    void addTo(Accumulator sum);
  }

  /** A sum in {@code buffer}, whatever that holds now. */
  public Accumulator(Matrix buffer) {
    this.sum = buffer;
  }

  /** Makes the sum zero. */
  public void clear() {
    empty = true;
    deferred = null;
  }

  /** Whether {@code work} has something to add that {@link #sum} has not called for yet. */
  public boolean defers(Deferred work) {
    return deferred == work;
  }

  /** Has {@code work} add to the sum when that is wanted. */
  public void defer(Deferred work) {
    if (deferred != null && deferred != work) {
      sum();
    }
    deferred = work;
  }

  /** Adds op(A) op(B), see {@link Blas#multiply}. */
  public void addProduct(Matrix a, boolean transposeA, Matrix b, boolean transposeB) {
    Blas.multiply(a, transposeA, b, transposeB, beta(), sum);
  }

  /** Adds α AᵀA to the lower triangle, see {@link Blas#gram}. */
  public void addGram(Matrix a, double alpha) {
    Blas.gram(a, alpha, beta(), sum);
  }

  /** Adds a matrix of the sum's shape and stride. */
  public void add(Matrix matrix) {
    if (beta() != 0) {
      Blas.add(1, matrix, sum);
    } else {
      sum.flat().assign(matrix.flat());
    }
  }

  /** Adds a matrix without gaps, row by row, to a sum without gaps. */
  public void add(double[] matrix) {
    if (beta() != 0) {
      double[] before = sum.toArray();
      for (int i = 0; i < before.length; i++) {
        before[i] += matrix[i];
      }
      sum.put(0, before, 0, before.length);
    } else {
      sum.put(0, matrix, 0, matrix.length);
    }
  }

  /** The sum; of one that was made by {@link #addGram}, the lower triangle. */
  public Matrix sum() {
    Deferred due = deferred;
    if (due != null) {
      deferred = null;
      due.addTo(this);
    }
    if (empty) {
      if (sum.stride() == sum.columns()) {
        sum.clear();
      } else {
        // What lies between the rows is somebody else's.
        for (int row = 0; row < sum.rows(); row++) {
          sum.view((long) row * sum.stride(), 1, sum.columns(), sum.columns()).clear();
        }
      }
      empty = false;
    }
    return sum;
  }

  private double beta() {
    double beta = empty ? 0 : 1;
    empty = false;
    return beta;
  }
}
