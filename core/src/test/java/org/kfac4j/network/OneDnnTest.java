package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.kfac4j.Dense.assertClose;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.Dense;
import org.kfac4j.Tolerance;
import org.kfac4j.linalg.Precision;

/** What oneDNN computes in single precision against the layers' own loops in float64. */
class OneDnnTest {
  private static final int COUNT = 3;

  static Stream<Layer> layers() {
    return Stream.concat(
        ConvolutionCurvatureTest.layers(),
        ConvolutionCurvatureTest.layers()
            // A window of nothing but padding has no maximum.
            .filter(layer -> layer.window().dilationHeight() == 1)
            .flatMap(
                layer ->
                    Stream.of(PoolingLayer.Kind.values())
                        .map(kind -> new PoolingLayer("pool", kind, layer.window()))));
  }

  private record Results(
      double[] out, double[] in, double[] both, double[] tangent, List<double[]> gradient) {}

  private static Results results(Layer layer, Precision precision) {
    try (LayerSetting setting = new LayerSetting(layer, COUNT, precision)) {
      setting.in.put(Dense.normal(1, COUNT * layer.inputs()), COUNT);
      setting.tangentIn.put(Dense.normal(2, COUNT * layer.inputs()), COUNT);
      setting.gradientOut.put(Dense.normal(3, COUNT * layer.outputs()), COUNT);
      if (!layer.parts().isEmpty()) {
        int size = layer.parts().get(0).size();
        setting.parameters(List.of(Dense.normal(4, size)), List.of(Dense.normal(5, size)));
      }
      layer.forward(setting.buffers, COUNT);
      layer.tangent(setting.buffers, COUNT);
      layer.backward(setting.buffers, COUNT);
      double[] in = setting.get(setting.gradientIn);
      List<double[]> gradient = new ArrayList<>();
      if (layer instanceof ParameterLayer parameters) {
        LayerPart part = layer.parts().get(0);
        gradient.addAll(
            setting.sums(
                part.rows(),
                part.columns(),
                (buffers, sums) -> {
                  // Twice: the second one is added to the first.
                  parameters.backwardAndAddGradient(buffers, COUNT, sums);
                  parameters.backwardAndAddGradient(buffers, COUNT, sums);
                }));
      }
      double[] both = setting.get(setting.gradientIn);
      return new Results(
          setting.get(setting.out), in, both, setting.get(setting.tangentOut), gradient);
    }
  }

  @ParameterizedTest
  @MethodSource("layers")
  void singlePrecisionAgreesWithLoopsInDouble(Layer layer) {
    Results single = results(layer, Precision.FLOAT);
    Results full = results(layer, Precision.DOUBLE);
    assertClose("forward", single.out, full.out, Tolerance.F32);
    assertClose("backward", single.in, full.in, Tolerance.F32);
    assertClose("backward with gradient", single.both, full.both, Tolerance.F32);
    assertClose("tangent", single.tangent, full.tangent, Tolerance.F32);
    for (int i = 0; i < full.gradient.size(); i++) {
      assertClose("gradient", single.gradient.get(i), full.gradient.get(i), Tolerance.F32);
    }
  }

  /** The natives with oneDNN are on the class path of the build: without them all this is slow. */
  @Test
  void theBuildHasIt() {
    Window window =
        Window.same(new Shape(8, 8, 3), new int[] {3, 3}, new int[] {1, 1}, new int[] {1, 1});
    boolean here =
        System.getProperty("os.name").equals("Linux")
            && System.getProperty("os.arch").equals("amd64");
    assertThat(OneDnn.computes(window, window.out(4), Precision.FLOAT)).isEqualTo(here);
    assertThat(OneDnn.computes(window, window.out(4), Precision.DOUBLE)).isFalse();
  }
}
