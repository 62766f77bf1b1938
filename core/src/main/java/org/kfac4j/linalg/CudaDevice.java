package org.kfac4j.linalg;

import static org.bytedeco.cuda.global.cublas.CUBLAS_FILL_MODE_UPPER;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_N;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_T;
import static org.bytedeco.cuda.global.cublas.CUBLAS_STATUS_SUCCESS;
import static org.bytedeco.cuda.global.cublas.cublasCreate_v2;
import static org.bytedeco.cuda.global.cublas.cublasDestroy_v2;
import static org.bytedeco.cuda.global.cublas.cublasDgemm_v2;
import static org.bytedeco.cuda.global.cublas.cublasDsyrk_v2;
import static org.bytedeco.cuda.global.cublas.cublasGetMatrix;
import static org.bytedeco.cuda.global.cublas.cublasSetMatrix;
import static org.bytedeco.cuda.global.cublas.cublasSgemm_v2;
import static org.bytedeco.cuda.global.cublas.cublasSsyrk_v2;
import static org.bytedeco.cuda.global.cudart.cudaDevAttrComputeCapabilityMajor;
import static org.bytedeco.cuda.global.cudart.cudaDevAttrComputeCapabilityMinor;
import static org.bytedeco.cuda.global.cudart.cudaDeviceGetAttribute;
import static org.bytedeco.cuda.global.cudart.cudaFree;
import static org.bytedeco.cuda.global.cudart.cudaGetErrorString;
import static org.bytedeco.cuda.global.cudart.cudaMalloc;
import static org.bytedeco.cuda.global.cudart.cudaSetDevice;
import static org.bytedeco.cuda.global.cudart.cudaSuccess;

import org.bytedeco.cuda.cublas.cublasContext;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/** A GPU of NVIDIA's, by cuBLAS 11. */
final class CudaDevice implements MatrixDevice {
  private final int number;
  private final String name;
  private final cublasContext context = new cublasContext();

  /**
   * @throws IllegalStateException if the library cannot be loaded, or there is no such device
   */
  CudaDevice(int number) {
    this.number = number;
    try {
      Loader.load(org.bytedeco.cuda.global.cudart.class);
      Loader.load(org.bytedeco.cuda.global.cublas.class);
    } catch (LinkageError e) {
      throw new IllegalStateException(
          "cuBLAS 11 cannot be loaded; it takes a build with the profile cuda, and CUDA 11 on the machine (%s)"
              .formatted(String.valueOf(e.getMessage()).lines().findFirst().orElse("")),
          e);
    }
    int[] major = {0};
    int[] minor = {0};
    check("cudaSetDevice", cudaSetDevice(number), "GPU " + number);
    String device = "GPU " + number;
    check(
        "cudaDeviceGetAttribute",
        cudaDeviceGetAttribute(major, cudaDevAttrComputeCapabilityMajor, number),
        device);
    check(
        "cudaDeviceGetAttribute",
        cudaDeviceGetAttribute(minor, cudaDevAttrComputeCapabilityMinor, number),
        device);
    name = "%s of compute capability %d.%d".formatted(device, major[0], minor[0]);
    checkBlas("cublasCreate", cublasCreate_v2(context));
  }

  /** CUDA's calls go to the device that their thread chose last. */
  private void choose() {
    check("cudaSetDevice", cudaSetDevice(number), name);
  }

  private static void check(String call, int error, String device) {
    if (error != cudaSuccess) {
      throw new IllegalStateException(
          "%s: %s failed: %s".formatted(device, call, cudaGetErrorString(error).getString()));
    }
  }

  private void checkBlas(String call, int status) {
    if (status != CUBLAS_STATUS_SUCCESS) {
      // Among others 8: the library has no code for so new (or old) a device.
      throw new IllegalStateException("%s: %s failed: status %d".formatted(name, call, status));
    }
  }

  @Override
  public Pointer allocate(long bytes) {
    choose();
    Pointer memory = new Pointer();
    check("cudaMalloc of " + bytes + " bytes", cudaMalloc(memory, bytes), name);
    return memory;
  }

  @Override
  public void free(Pointer memory) {
    choose();
    check("cudaFree", cudaFree(memory), name);
  }

  @Override
  public void upload(Matrix from, Pointer to) {
    choose();
    checkBlas(
        "cublasSetMatrix",
        cublasSetMatrix(
            from.columns(),
            from.rows(),
            from.precision().type().width(),
            host(from),
            from.stride(),
            to,
            from.columns()));
  }

  @Override
  public void download(Pointer from, Matrix to) {
    choose();
    checkBlas(
        "cublasGetMatrix",
        cublasGetMatrix(
            to.columns(),
            to.rows(),
            to.precision().type().width(),
            from,
            to.columns(),
            host(to),
            to.stride()));
  }

  private static Pointer host(Matrix matrix) {
    return matrix.precision() == Precision.FLOAT ? matrix.floats(0) : matrix.doubles(0);
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
    choose();
    int opA = transposeA ? CUBLAS_OP_T : CUBLAS_OP_N;
    int opB = transposeB ? CUBLAS_OP_T : CUBLAS_OP_N;
    if (precision == Precision.FLOAT) {
      try (FloatPointer one = new FloatPointer(1f);
          FloatPointer factor = new FloatPointer((float) beta)) {
        checkBlas(
            "cublasSgemm",
            cublasSgemm_v2(
                context,
                opA,
                opB,
                m,
                n,
                k,
                one,
                new FloatPointer(a),
                lda,
                new FloatPointer(b),
                ldb,
                factor,
                new FloatPointer(c),
                ldc));
      }
    } else {
      try (DoublePointer one = new DoublePointer(1.0);
          DoublePointer factor = new DoublePointer(beta)) {
        checkBlas(
            "cublasDgemm",
            cublasDgemm_v2(
                context,
                opA,
                opB,
                m,
                n,
                k,
                one,
                new DoublePointer(a),
                lda,
                new DoublePointer(b),
                ldb,
                factor,
                new DoublePointer(c),
                ldc));
      }
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
    choose();
    if (precision == Precision.FLOAT) {
      try (FloatPointer scale = new FloatPointer((float) alpha);
          FloatPointer factor = new FloatPointer((float) beta)) {
        checkBlas(
            "cublasSsyrk",
            cublasSsyrk_v2(
                context,
                CUBLAS_FILL_MODE_UPPER,
                CUBLAS_OP_N,
                n,
                k,
                scale,
                new FloatPointer(a),
                lda,
                factor,
                new FloatPointer(c),
                ldc));
      }
    } else {
      try (DoublePointer scale = new DoublePointer(alpha);
          DoublePointer factor = new DoublePointer(beta)) {
        checkBlas(
            "cublasDsyrk",
            cublasDsyrk_v2(
                context,
                CUBLAS_FILL_MODE_UPPER,
                CUBLAS_OP_N,
                n,
                k,
                scale,
                new DoublePointer(a),
                lda,
                factor,
                new DoublePointer(c),
                ldc));
      }
    }
  }

  @Override
  public void close() {
    choose();
    checkBlas("cublasDestroy", cublasDestroy_v2(context));
  }
}
