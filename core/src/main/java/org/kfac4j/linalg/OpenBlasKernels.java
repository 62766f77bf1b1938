package org.kfac4j.linalg;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas;
import org.nd4j.common.io.Resource;
import org.nd4j.linalg.factory.Environment;
import org.nd4j.linalg.factory.Nd4jBackend;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has OpenBLAS compute with kernels for what the processor can do. OpenBLAS 0.3.19 goes by model
 * numbers, and takes those of the Pentium 4 (Prescott) for Intel's processors that are newer than
 * itself: a quarter of the rate, or less (its issue 4267, mended in 0.3.25). It reads {@value
 * #VARIABLE} when it is loaded; so that is set before, unless it is set already.
 *
 * <p>It is loaded by ND4J, whoever uses that first, and ND4J asks all services that call themselves
 * a backend before it loads anything native. This one never computes.
 */
public final class OpenBlasKernels extends Nd4jBackend {
  static final String VARIABLE = "OPENBLAS_CORETYPE";

  private static final Logger LOG = LoggerFactory.getLogger(OpenBlasKernels.class);
  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
  private static final Set<String> AVX512 =
      Set.of("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl");
  private static final Set<String> AVX2 = Set.of("avx2", "fma");

  /** Kernels for processors without AVX2. */
  private static final Set<String> OLD = Set.of("Prescott", "Core2", "Nehalem", "Sandybridge");

  /** Called by ND4J. */
  public OpenBlasKernels() {
    if (isOurs()) {
      wanted().ifPresent(OpenBlasKernels::choose);
    }
  }

  private static boolean isOurs() {
    return System.getenv(VARIABLE) == null;
  }

  private static Optional<String> wanted() {
    try {
      return Files.isReadable(PROCESSORS)
          ? forProcessor(Files.readAllLines(PROCESSORS))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * The kernels for a processor, if it has AVX2 and they are known.
   *
   * @param description as Linux gives it
   */
  static Optional<String> forProcessor(List<String> description) {
    Set<String> flags =
        Arrays.stream(value(description, "flags").split(" +")).collect(Collectors.toSet());
    String vendor = value(description, "vendor_id");
    if (vendor.equals("GenuineIntel") && flags.containsAll(AVX512)) {
      return Optional.of("SkylakeX");
    }
    if (!flags.containsAll(AVX2)) {
      return Optional.empty();
    }
    return switch (vendor) {
      case "GenuineIntel" -> Optional.of("Haswell");
      case "AuthenticAMD" -> Optional.of("Zen");
      default -> Optional.empty();
    };
  }

  /** Of the first processor. */
  private static String value(List<String> description, String key) {
    return description.stream()
        .filter(line -> line.startsWith(key) && line.contains(":"))
        .findFirst()
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .orElse("");
  }

  /** In this process, which Java cannot do itself. */
  private static void choose(String kernels) {
    try {
      NativeLibrary.getProcess()
          .getFunction("setenv")
          .invokeInt(new Object[] {VARIABLE, kernels, 0});
    } catch (LinkageError | RuntimeException e) {
      LOG.warn(
          "the environment variable {} cannot be set from here, so that OpenBLAS may compute slowly on a new processor: set it to {}, also for executors (spark.executorEnv.{}): {}",
          VARIABLE,
          kernels,
          VARIABLE,
          String.valueOf(e.getMessage()));
    }
  }

  /**
   * Warns, if OpenBLAS, which is loaded, computes with kernels of an old processor all the same.
   */
  static void check() {
    Optional<String> wanted = wanted();
    if (wanted.isPresent() && isOurs() && OLD.contains(name())) {
      LOG.warn(
          "OpenBLAS computes with kernels of an old processor ({}), several times slower: set the environment variable {}={}, also for executors (spark.executorEnv.{})",
          name(),
          VARIABLE,
          wanted.get(),
          VARIABLE);
    }
  }

  /**
   * The kernels that OpenBLAS computes with, such as {@code SkylakeX}; empty if it does not say.
   */
  public static String name() {
    try {
      return NativeLibrary.getInstance(Loader.load(openblas.class))
          .getFunction("openblas_get_corename")
          .invokeString(new Object[0], false);
    } catch (LinkageError | RuntimeException e) {
      LOG.debug("OpenBLAS does not say what it computes with", e);
      return "";
    }
  }

  /** ND4J asks for what follows of the backend that it takes, which is never this one. */
  private static UnsupportedOperationException noBackend() {
    return new UnsupportedOperationException(
        "OpenBlasKernels only chooses kernels before ND4J loads OpenBLAS, it computes nothing");
  }

  /** After all others, so that it is not even asked whether it is available. */
  @Override
  public int getPriority() {
    return -1;
  }

  @Override
  public boolean isAvailable() {
    return false;
  }

  @Override
  public boolean canRun() {
    return false;
  }

  @Override
  public boolean allowsOrder() {
    return false;
  }

  @Override
  public Resource getConfigurationResource() {
    throw noBackend();
  }

  @Override
  @SuppressWarnings("rawtypes") // As ND4J declares it.
  public Class getNDArrayClass() {
    throw noBackend();
  }

  @Override
  public Environment getEnvironment() {
    throw noBackend();
  }

  @Override
  public String buildInfo() {
    return "";
  }

  @Override
  public void logBackendInit() {
    // Nothing to say.
  }
}
