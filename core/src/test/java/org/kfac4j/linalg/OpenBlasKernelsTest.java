package org.kfac4j.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.factory.Nd4j;

class OpenBlasKernelsTest {
  private static Optional<String> kernels(String vendor, String flags) {
    return OpenBlasKernels.forProcessor(
        List.of(
            "processor\t: 0",
            "vendor_id\t: " + vendor,
            "cpu family\t: 6",
            "model\t\t: 207",
            "flags\t\t: fpu sse2 ss sse2 " + flags,
            "",
            "processor\t: 1",
            "vendor_id\t: another",
            "flags\t\t: fpu"));
  }

  @Test
  void kernelsAreThoseThatTheProcessorsInstructionsAreEnoughFor() {
    String all = "avx avx2 fma avx512f avx512dq avx512cd avx512bw avx512vl amx_tile";
    assertThat(kernels("GenuineIntel", all)).hasValue("SkylakeX");
    assertThat(kernels("GenuineIntel", "avx avx2 fma avx512f avx512cd")).hasValue("Haswell");
    assertThat(kernels("GenuineIntel", "avx avx2 fma")).hasValue("Haswell");
    assertThat(kernels("GenuineIntel", "avx")).isEmpty();
    assertThat(kernels("AuthenticAMD", all)).hasValue("Zen");
    assertThat(kernels("AuthenticAMD", "avx avx2")).isEmpty();
    assertThat(kernels("CentaurHauls", all)).isEmpty();
    assertThat(OpenBlasKernels.forProcessor(List.of("processor : 0", "Features : fp asimd")))
        .isEmpty();
    assertThat(OpenBlasKernels.forProcessor(List.of())).isEmpty();
  }

  /** Whatever model number this machine's processor has. */
  @Test
  void thisProcessorIsNotTakenForAnOldOne() throws IOException {
    Path processors = Path.of("/proc/cpuinfo");
    assumeTrue(Files.isReadable(processors), "what the processor can do is read on Linux");
    assumeTrue(System.getenv(OpenBlasKernels.VARIABLE) == null, "kernels are chosen from outside");
    Optional<String> wanted = OpenBlasKernels.forProcessor(Files.readAllLines(processors));
    assumeTrue(wanted.isPresent(), "kernels for processors with AVX2");
    Nd4j.getBackend();
    assertThat(OpenBlasKernels.name()).isEqualToIgnoringCase(wanted.get());
    assertThat(Nd4j.getBackend()).isNotInstanceOf(OpenBlasKernels.class);
  }
}
