package org.kfac4j.linalg;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * Large matrix products on a GPU: operands go to its memory and the result comes back, so that
 * everything else finds matrices where it always does. Several threads may use one at a time. Which
 * products are worth their way is estimated from 64 GFLOP/s for each GB/s between the two memories,
 * not measured.
 */
public final class Gpu implements AutoCloseable {
  /** Operations for each byte that travels, at least. */
  private static final double INTENSITY = 64;

  /** Operations of a product, at least: less is over before a copy has begun. */
  private static final double LEAST = 1 << 26;

  private final Supplier<MatrixDevice> opener;
  private final double intensity;
  private final double least;
  private final Deque<Lane> idle = new ArrayDeque<>();

  Gpu(Supplier<MatrixDevice> opener, double intensity, double least) {
    this.opener = opener;
    this.intensity = intensity;
    this.least = least;
  }

  /**
   * The CUDA device of this number, after a product in each precision has come out right.
   *
   * @throws IllegalStateException if there is none, or it cannot be used: why, in one line
   */
  public static Gpu cuda(int number) {
    Gpu gpu = new Gpu(() -> new CudaDevice(number), INTENSITY, LEAST);
    try {
      gpu.verify();
      return gpu;
    } catch (RuntimeException e) {
      gpu.close();
      throw e;
    }
  }

  /** One user's place on the device: a connection and memory that grows with what is needed. */
  private static final class Lane {
    private final MatrixDevice device;
    private final @Nullable Pointer[] memory = new Pointer[3];
    private final long[] bytes = new long[3];

    Lane(MatrixDevice device) {
      this.device = device;
    }

    Pointer memory(int which, long needed) {
      Pointer here = memory[which];
      if (here != null && bytes[which] >= needed) {
        return here;
      }
      if (here != null) {
        device.free(here);
        memory[which] = null;
      }
      here = device.allocate(needed);
      memory[which] = here;
      bytes[which] = needed;
      return here;
    }

    Pointer upload(int which, Matrix matrix) {
      Pointer here = memory(which, bytesOf(matrix));
      device.upload(matrix, here);
      return here;
    }

    void close() {
      for (Pointer here : memory) {
        if (here != null) {
          device.free(here);
        }
      }
      device.close();
    }
  }

  private static long bytesOf(Matrix matrix) {
    return (long) matrix.rows() * matrix.columns() * matrix.precision().type().width();
  }

  private interface Work {
    void on(Lane lane);
  }

  private void run(Work work) {
    Lane lane;
    synchronized (idle) {
      lane = idle.poll();
    }
    if (lane == null) {
      lane = new Lane(opener.get());
    }
    try {
      work.on(lane);
    } catch (RuntimeException e) {
      try {
        lane.close();
      } catch (RuntimeException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
    synchronized (idle) {
      idle.push(lane);
    }
  }

  /** Whether a product is done faster here, its operands' way included. */
  boolean isWorth(double operations, long bytes) {
    return operations >= least && operations >= intensity * bytes;
  }

  /** Whether {@link #multiply} is the faster way. */
  boolean isWorthMultiply(Matrix a, Matrix b, int k, double beta, Matrix c) {
    return isWorth(
        2.0 * c.rows() * c.columns() * k,
        bytesOf(a) + bytesOf(b) + (beta == 0 ? 1 : 2) * bytesOf(c));
  }

  /** Whether {@link #gram} is the faster way. */
  boolean isWorthGram(Matrix a, Matrix c) {
    return isWorth(1.0 * c.rows() * (c.rows() + 1) * a.rows(), bytesOf(a) + 2 * bytesOf(c));
  }

  /** As {@link Blas#multiply}. Rows one after another are the columns of the transposed. */
  void multiply(Matrix a, boolean transposeA, Matrix b, boolean transposeB, double beta, Matrix c) {
    int k = transposeA ? a.rows() : a.columns();
    run(
        lane -> {
          Pointer left = lane.upload(0, a);
          Pointer right = lane.upload(1, b);
          Pointer result = beta == 0 ? lane.memory(2, bytesOf(c)) : lane.upload(2, c);
          // Cᵀ = op(B)ᵀ op(A)ᵀ
          lane.device.gemm(
              c.precision(),
              transposeB,
              transposeA,
              c.columns(),
              c.rows(),
              k,
              right,
              b.columns(),
              left,
              a.columns(),
              beta,
              result,
              c.columns());
          lane.device.download(result, c);
        });
  }

  /** As {@link Blas#gram}: the lower triangle by rows is the upper one by columns. */
  void gram(Matrix a, double alpha, double beta, Matrix c) {
    run(
        lane -> {
          Pointer operand = lane.upload(0, a);
          // Up also if β is 0: what is above the diagonal stays as it is.
          Pointer result = lane.upload(2, c);
          lane.device.syrk(
              c.precision(),
              c.rows(),
              a.rows(),
              alpha,
              operand,
              a.columns(),
              beta,
              result,
              c.columns());
          lane.device.download(result, c);
        });
  }

  /**
   * Compares products with the processor's.
   *
   * @throws IllegalStateException if one differs
   */
  void verify() {
    Random random = new Random(1);
    for (Precision precision : Precision.values()) {
      try (Matrix a = random(random, precision, 70, 50);
          Matrix b = random(random, precision, 70, 30);
          Matrix here = Matrix.zeros(precision, 50, 30);
          Matrix there = Matrix.zeros(precision, 50, 30);
          Matrix gramHere = Matrix.zeros(precision, 50, 50);
          Matrix gramThere = Matrix.zeros(precision, 50, 50)) {
        Blas.multiplyHere(a, true, b, false, 0, here);
        multiply(a, true, b, false, 0, there);
        Blas.gramHere(a, 1, 0, gramHere);
        gram(a, 1, 0, gramThere);
        requireClose(precision, here, there);
        requireClose(precision, gramHere, gramThere);
      }
    }
  }

  private static Matrix random(Random random, Precision precision, int rows, int columns) {
    return Matrix.of(
        precision, rows, columns, random.doubles((long) rows * columns, -1, 1).toArray());
  }

  private static void requireClose(Precision precision, Matrix here, Matrix there) {
    double[] expected = here.toArray();
    double[] got = there.toArray();
    // Sums of 70 products of numbers below 1.
    double tolerance = precision == Precision.FLOAT ? 1e-4 : 1e-12;
    for (int i = 0; i < got.length; i++) {
      if (!(Math.abs(got[i] - expected[i]) <= tolerance)) {
        throw new IllegalStateException(
            "a product of small matrices came out wrong: %s instead of %s"
                .formatted(got[i], expected[i]));
      }
    }
  }

  /** Gives the device's memory back. */
  @Override
  public void close() {
    synchronized (idle) {
      idle.forEach(Lane::close);
      idle.clear();
    }
  }
}
