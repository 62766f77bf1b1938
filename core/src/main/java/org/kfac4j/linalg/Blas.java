package org.kfac4j.linalg;

import static org.bytedeco.openblas.global.openblas.CblasLower;
import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.cblas_daxpy;
import static org.bytedeco.openblas.global.openblas.cblas_dgemm;
import static org.bytedeco.openblas.global.openblas.cblas_dsyrk;
import static org.bytedeco.openblas.global.openblas.cblas_saxpy;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;
import static org.bytedeco.openblas.global.openblas.cblas_ssyrk;

import org.bytedeco.openblas.presets.openblas_nolapack;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/** Matrix products in place, on matrices with gaps between rows. */
public final class Blas {
  /** Of the running task. */
  private static final ThreadLocal<@Nullable Gpu> GPU = new ThreadLocal<>();

  static {
    // NativeOpsHolder fails in a JVM in which nothing has loaded ND4J's backend yet, such as a
    // fresh executor.
    Nd4j.getBackend();
    OpenBlasKernels.check();
  }

  private Blas() {}

  /**
   * C ← op(A) op(B) + β C, where op transposes if asked to.
   *
   * @param a [m, k], or [k, m] if {@code transposeA}
   * @param b [k, n], or [n, k] if {@code transposeB}
   * @param c [m, n]; overwritten; must not overlap {@code a} or {@code b}
   */
  public static void multiply(
      Matrix a, boolean transposeA, Matrix b, boolean transposeB, double beta, Matrix c) {
    int m = transposeA ? a.columns() : a.rows();
    int k = transposeA ? a.rows() : a.columns();
    int n = transposeB ? b.rows() : b.columns();
    int kb = transposeB ? b.columns() : b.rows();
    Check.that(
        k == kb && c.rows() == m && c.columns() == n,
        "shapes do not fit: op(A) [%d, %d], op(B) [%d, %d], C [%d, %d]",
        m,
        k,
        kb,
        n,
        c.rows(),
        c.columns());
    Gpu gpu = GPU.get();
    if (gpu != null && gpu.isWorthMultiply(a, b, k, beta, c)) {
      gpu.multiply(a, transposeA, b, transposeB, beta, c);
    } else {
      multiplyHere(a, transposeA, b, transposeB, beta, c);
    }
  }

  /** On this machine's processor. */
  static void multiplyHere(
      Matrix a, boolean transposeA, Matrix b, boolean transposeB, double beta, Matrix c) {
    int m = c.rows();
    int n = c.columns();
    int k = transposeA ? a.rows() : a.columns();
    int opA = transposeA ? CblasTrans : CblasNoTrans;
    int opB = transposeB ? CblasTrans : CblasNoTrans;
    if (c.precision() == Precision.FLOAT) {
      cblas_sgemm(
          CblasRowMajor,
          opA,
          opB,
          m,
          n,
          k,
          1f,
          a.floats(0),
          a.stride(),
          b.floats(0),
          b.stride(),
          (float) beta,
          c.floats(0),
          c.stride());
    } else {
      cblas_dgemm(
          CblasRowMajor,
          opA,
          opB,
          m,
          n,
          k,
          1.0,
          a.doubles(0),
          a.stride(),
          b.doubles(0),
          b.stride(),
          beta,
          c.doubles(0),
          c.stride());
    }
  }

  /**
   * C ← α Aᵀ A + β C, lower triangle only; what is above the diagonal of C is left alone.
   *
   * @param a [k, n]
   * @param c [n, n]
   */
  public static void gram(Matrix a, double alpha, double beta, Matrix c) {
    int n = a.columns();
    Check.that(
        c.rows() == n && c.columns() == n,
        "AᵀA is [%d, %d], C is [%d, %d]",
        n,
        n,
        c.rows(),
        c.columns());
    Gpu gpu = GPU.get();
    if (gpu != null && gpu.isWorthGram(a, c)) {
      gpu.gram(a, alpha, beta, c);
    } else {
      gramHere(a, alpha, beta, c);
    }
  }

  /** On this machine's processor. */
  static void gramHere(Matrix a, double alpha, double beta, Matrix c) {
    int n = a.columns();
    int k = a.rows();
    if (c.precision() == Precision.FLOAT) {
      cblas_ssyrk(
          CblasRowMajor,
          CblasLower,
          CblasTrans,
          n,
          k,
          (float) alpha,
          a.floats(0),
          a.stride(),
          (float) beta,
          c.floats(0),
          c.stride());
    } else {
      cblas_dsyrk(
          CblasRowMajor,
          CblasLower,
          CblasTrans,
          n,
          k,
          alpha,
          a.doubles(0),
          a.stride(),
          beta,
          c.doubles(0),
          c.stride());
    }
  }

  /** y ← y + α x, for all numbers of two matrices of one shape without gaps. */
  public static void add(double alpha, Matrix x, Matrix y) {
    int length = Math.multiplyExact(x.rows(), x.stride());
    Check.that(
        x.rows() == y.rows() && x.stride() == y.stride(),
        "matrices of %d × %d and %d × %d numbers do not add up",
        x.rows(),
        x.stride(),
        y.rows(),
        y.stride());
    if (y.precision() == Precision.FLOAT) {
      cblas_saxpy(length, (float) alpha, x.floats(0), 1, y.floats(0), 1);
    } else {
      cblas_daxpy(length, alpha, x.doubles(0), 1, y.doubles(0), 1);
    }
  }

  /** Has this thread do large products on a GPU from now on, or no longer. */
  public static void useGpu(@Nullable Gpu gpu) {
    GPU.set(gpu);
  }

  /**
   * Sets how many threads one product or element-wise operation uses: for OpenBLAS in this process,
   * for OpenMP in calls of this thread. Set to the same value by everyone in a process, because
   * OpenBLAS has one setting for all.
   */
  public static void useThreads(int threads) {
    Check.that(threads >= 1, "threads per task must be at least 1, got %d", threads);
    if (openblas_nolapack.blas_get_num_threads() != threads) {
      openblas_nolapack.blas_set_num_threads(threads);
    }
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(threads);
  }
}
