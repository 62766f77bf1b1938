package org.kfac4j.linalg;

import org.bytedeco.javacpp.Pointer;

/**
 * A processor with memory of its own that multiplies matrices, used by one thread at a time.
 * Matrices are BLAS's: columns one after another. Methods throw IllegalStateException if the device
 * fails.
 */
interface MatrixDevice extends AutoCloseable {
  /** Memory of the device. */
  Pointer allocate(long bytes);

  void free(Pointer memory);

  /** Copies the rows of a matrix, one after another without gaps. */
  void upload(Matrix from, Pointer to);

  /** The way back; gaps between rows are left alone. */
  void download(Pointer from, Matrix to);

  /**
   * C ← op(A) op(B) + β C, where op transposes if asked to.
   *
   * @param m rows of C
   * @param n columns of C
   * @param k columns of op(A)
   * @param a with {@code lda} numbers from one column to the next, and so on
   */
  void gemm(
      Precision precision,
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      Pointer a,
      int lda,
      Pointer b,
      int ldb,
      double beta,
      Pointer c,
      int ldc);

  /**
   * C ← α A Aᵀ + β C, upper triangle only.
   *
   * @param n rows of A
   * @param k columns of A
   */
  void syrk(
      Precision precision,
      int n,
      int k,
      double alpha,
      Pointer a,
      int lda,
      double beta,
      Pointer c,
      int ldc);

  @Override
  void close();
}
