package org.kfac4j.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.bytedeco.openblas.global.openblas.CblasColMajor;
import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.CblasUpper;
import static org.bytedeco.openblas.global.openblas.cblas_dgemm;
import static org.bytedeco.openblas.global.openblas.cblas_dsyrk;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;
import static org.bytedeco.openblas.global.openblas.cblas_ssyrk;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Products by way of a device's memory equal products in place. The device here is OpenBLAS called
 * as cuBLAS is, with columns one after another, on copies.
 */
class GpuTest {
  /** Counts what it was asked for. */
  static final class Device implements MatrixDevice {
    final List<Pointer> allocated = new ArrayList<>();
    int products;
    boolean closed;
    double error;

    @Override
    public Pointer allocate(long bytes) {
      BytePointer memory = new BytePointer(bytes);
      memory.fill(0xff); // NaN: nothing may be read that was not written
      allocated.add(memory);
      return memory;
    }

    @Override
    public void free(Pointer memory) {
      assertThat(allocated.remove(memory)).isTrue();
      memory.close();
    }

    @Override
    public void upload(Matrix from, Pointer to) {
      double[] numbers = from.toArray();
      for (int i = 0; i < numbers.length; i++) {
        if (from.precision() == Precision.FLOAT) {
          new FloatPointer(to).put(i, (float) numbers[i]);
        } else {
          new DoublePointer(to).put(i, numbers[i]);
        }
      }
    }

    @Override
    public void download(Pointer from, Matrix to) {
      double[] row = new double[to.columns()];
      for (int i = 0; i < to.rows(); i++) {
        for (int j = 0; j < row.length; j++) {
          long at = (long) i * row.length + j;
          row[j] =
              to.precision() == Precision.FLOAT
                  ? new FloatPointer(from).get(at)
                  : new DoublePointer(from).get(at);
        }
        to.put((long) i * to.stride(), row, 0, row.length);
      }
    }

    @Override
    public void gemm(
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
        int ldc) {
      products++;
      int opA = transposeA ? CblasTrans : CblasNoTrans;
      int opB = transposeB ? CblasTrans : CblasNoTrans;
      if (precision == Precision.FLOAT) {
        cblas_sgemm(
            CblasColMajor,
            opA,
            opB,
            m,
            n,
            k,
            (float) (1 + error),
            new FloatPointer(a),
            lda,
            new FloatPointer(b),
            ldb,
            (float) beta,
            new FloatPointer(c),
            ldc);
      } else {
        cblas_dgemm(
            CblasColMajor,
            opA,
            opB,
            m,
            n,
            k,
            1 + error,
            new DoublePointer(a),
            lda,
            new DoublePointer(b),
            ldb,
            beta,
            new DoublePointer(c),
            ldc);
      }
    }

    @Override
    public void syrk(
        Precision precision,
        int n,
        int k,
        double alpha,
        Pointer a,
        int lda,
        double beta,
        Pointer c,
        int ldc) {
      products++;
      if (precision == Precision.FLOAT) {
        cblas_ssyrk(
            CblasColMajor,
            CblasUpper,
            CblasNoTrans,
            n,
            k,
            (float) alpha,
            new FloatPointer(a),
            lda,
            (float) beta,
            new FloatPointer(c),
            ldc);
      } else {
        cblas_dsyrk(
            CblasColMajor,
            CblasUpper,
            CblasNoTrans,
            n,
            k,
            alpha,
            new DoublePointer(a),
            lda,
            beta,
            new DoublePointer(c),
            ldc);
      }
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  private final List<Device> devices = new ArrayList<>();
  private final Gpu gpu = new Gpu(this::open, 0, 0);

  private Device open() {
    Device device = new Device();
    synchronized (devices) {
      devices.add(device);
    }
    return device;
  }

  private static Matrix random(Precision precision, int rows, int columns, long seed) {
    return Matrix.of(
        precision, rows, columns, new Random(seed).doubles((long) rows * columns, -1, 1).toArray());
  }

  /** With gaps between rows: columns of a wider matrix, from its second row on. */
  private static Matrix inner(Precision precision, int rows, int columns, long seed) {
    int stride = columns + 3;
    return random(precision, rows + 1, stride, seed).view(stride, rows, columns, stride);
  }

  @ParameterizedTest
  @CsvSource({
    "false, false, 0, FLOAT",
    "true, false, 1, FLOAT",
    "false, true, 0.5, FLOAT",
    "true, true, 0, FLOAT",
    "false, false, 1, DOUBLE",
    "true, false, 0, DOUBLE",
    "false, true, 0, DOUBLE",
    "true, true, -2, DOUBLE"
  })
  void aProductEqualsTheOneInPlace(
      boolean transposeA, boolean transposeB, double beta, Precision precision) {
    Matrix a = transposeA ? inner(precision, 4, 5, 1) : inner(precision, 5, 4, 1);
    Matrix b = transposeB ? inner(precision, 3, 4, 2) : inner(precision, 4, 3, 2);
    Matrix here = random(precision, 6, 7, 3);
    Matrix there = random(precision, 6, 7, 3);
    Blas.multiply(a, transposeA, b, transposeB, beta, here.view(8, 5, 3, 7));
    Blas.useGpu(gpu);
    try {
      Blas.multiply(a, transposeA, b, transposeB, beta, there.view(8, 5, 3, 7));
    } finally {
      Blas.useGpu(null);
    }
    assertThat(devices).singleElement().extracting(device -> device.products).isEqualTo(1);
    assertThat(there.toArray())
        .containsExactly(here.toArray(), within(precision == Precision.FLOAT ? 1e-6 : 1e-15));
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void aGramMatrixEqualsTheOneInPlaceAndLeavesTheUpperTriangleAlone(Precision precision) {
    for (double beta : new double[] {0, 1}) {
      Matrix a = inner(precision, 6, 4, 1);
      Matrix here = random(precision, 5, 5, 2);
      Matrix there = random(precision, 5, 5, 2);
      Blas.gram(a, 0.5, beta, here.view(1, 4, 4, 5));
      gpu.gram(a, 0.5, beta, there.view(1, 4, 4, 5));
      assertThat(there.toArray())
          .containsExactly(here.toArray(), within(precision == Precision.FLOAT ? 1e-6 : 1e-15));
    }
  }

  @Test
  void smallProductsAndThoseOfFewOperationsForTheirBytesStayInPlace() {
    Gpu choosy = new Gpu(this::open, 64, 1 << 26);
    Matrix row = Matrix.zeros(Precision.FLOAT, 1, 2048);
    Matrix square = Matrix.zeros(Precision.FLOAT, 2048, 2048);
    Matrix rows = Matrix.zeros(Precision.FLOAT, 1024, 2048);
    assertThat(choosy.isWorthMultiply(row, square, 2048, 0, row)).isFalse();
    assertThat(choosy.isWorthMultiply(rows, square, 2048, 0, rows)).isTrue();
    assertThat(choosy.isWorthGram(rows, square)).isTrue();
    assertThat(choosy.isWorthGram(row, square)).isFalse();
    Matrix small = Matrix.zeros(Precision.FLOAT, 128, 128);
    assertThat(choosy.isWorthMultiply(small, small, 128, 0, small)).isFalse();
  }

  @Test
  void threadsHavePlacesOfTheirOwnWhoseMemoryIsUsedAgainAndGivenBack() throws Exception {
    Matrix a = random(Precision.DOUBLE, 40, 40, 1);
    Matrix expected = Matrix.zeros(Precision.DOUBLE, 40, 40);
    Blas.multiply(a, false, a, false, 0, expected);
    try (var threads = closeable()) {
      List<Future<double[]>> results = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        int n = 20 + i % 21;
        results.add(
            threads.pool.submit(
                () -> {
                  Matrix c = Matrix.zeros(Precision.DOUBLE, n, 40);
                  gpu.multiply(a.top(n), false, a, false, 0, c);
                  return c.toArray();
                }));
      }
      for (int i = 0; i < results.size(); i++) {
        double[] got = results.get(i).get();
        assertThat(got).containsExactly(expected.top(20 + i % 21).toArray(), within(1e-13));
      }
    }
    assertThat(devices).hasSizeBetween(1, 4);
    assertThat(devices).allSatisfy(device -> assertThat(device.allocated).hasSize(3));
    gpu.close();
    assertThat(devices)
        .allSatisfy(
            device -> {
              assertThat(device.allocated).isEmpty();
              assertThat(device.closed).isTrue();
            });
  }

  private record Pool(java.util.concurrent.ExecutorService pool) implements AutoCloseable {
    @Override
    public void close() {
      pool.shutdownNow();
    }
  }

  private static Pool closeable() {
    return new Pool(Executors.newFixedThreadPool(4));
  }

  @Test
  void aDeviceThatMultipliesWronglyIsFoundOut() {
    gpu.verify();
    Gpu wrong =
        new Gpu(
            () -> {
              Device device = open();
              device.error = 1e-2;
              return device;
            },
            0,
            0);
    assertThatThrownBy(wrong::verify)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("came out wrong");
  }

  @Test
  void aDeviceThatFailsLosesItsPlaceAndSaysWhy() {
    Gpu failing =
        new Gpu(
            () -> {
              open();
              throw new IllegalStateException("GPU 3: cublasCreate failed: status 1");
            },
            0,
            0);
    assertThatThrownBy(failing::verify).hasMessage("GPU 3: cublasCreate failed: status 1");
  }

  /** Runs where there is CUDA and a GPU; elsewhere, says in one line why there is none. */
  @Test
  void theRealOneIsRightOrSaysWhyItCannotBeUsed() {
    Gpu real;
    try {
      real = Gpu.cuda(0);
    } catch (IllegalStateException e) {
      assertThat(String.valueOf(e.getMessage())).isNotBlank().doesNotContain("\n");
      return;
    }
    try (real) {
      Matrix a = random(Precision.FLOAT, 700, 500, 1);
      Matrix here = Matrix.zeros(Precision.FLOAT, 500, 500);
      Matrix there = Matrix.zeros(Precision.FLOAT, 500, 500);
      Blas.gram(a, 1, 0, here);
      real.gram(a, 1, 0, there);
      assertThat(there.toArray()).containsExactly(here.toArray(), within(1e-3));
    }
  }
}
