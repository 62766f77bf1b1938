package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.optimizer.Phases;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

class VerifyTest {
  @TempDir static Path folder;
  private static Path dense;

  @BeforeAll
  static void data() throws IOException {
    IdxFolder.write(folder.resolve("data"), 60, 20, 4, 5);
    dense = conf("dense", "layers = [20, 8, 10], loss = mcxent");
  }

  private static Path conf(String name, String model) throws IOException {
    String text =
        """
        model { %s, init = xavier }
        data { source = idx, path = "%s", task = classifier }
        training { batch-size = 60 }
        output { dir = "%s" }
        """
            .formatted(model, folder.resolve("data"), folder.resolve("out-" + name));
    return Files.writeString(folder.resolve(name + ".conf"), text);
  }

  private static Path images(String name, boolean normalized) throws IOException {
    NeuralNetConfiguration.ListBuilder layers =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .list()
            .layer(new ConvolutionLayer.Builder(2, 2).nOut(3).activation(Activation.RELU).build());
    if (normalized) {
      layers.layer(new BatchNormalization());
    }
    String json =
        layers
            .layer(
                new OutputLayer.Builder(new LossMCXENT())
                    .nOut(10)
                    .activation(Activation.SOFTMAX)
                    .build())
            .setInputType(InputType.convolutional(4, 5, 1))
            .build()
            .toJson();
    Path file = Files.writeString(folder.resolve(name + ".json"), json);
    return conf(name, "file = \"" + file + "\", input = [1, 4, 5]");
  }

  private static void assertHolds(Path conf, String... contained) {
    Jobs.Ended run = Jobs.run(new Verify(), conf.toString(), "--examples", "16");
    assertThat(run.code()).as(run.out() + run.err()).isZero();
    assertThat(run.out())
        .contains(contained)
        .contains("everything that must hold does")
        .contains("two runs", "DL4J's outputs", "on the cluster")
        .doesNotContain("FAILED");
    assertThat(folder.resolve("out-" + conf.getFileName().toString().replace(".conf", "")))
        .doesNotExist();
  }

  @Test
  void everythingHoldsOfADenseNetwork() {
    assertHolds(dense, "ekfac: scalings", "kfac: exact for one example");
  }

  @Test
  void everythingHoldsOfAConvolutionalNetwork() throws IOException {
    assertHolds(images("images", false), "not applicable");
  }

  @Test
  void everythingHoldsWithBatchNormalization() throws IOException {
    assertHolds(images("normalized", true), "4 on the cluster");
  }

  @Test
  @Tag("slow")
  void everythingHoldsOfTheCurvesAutoencoder() {
    Jobs.Ended run = Jobs.run(new Verify(), "../conf/curves-autoencoder.conf", "--examples", "4");
    assertThat(run.code()).as(run.out() + run.err()).isZero();
  }

  private static Jobs.Ended broken(UnaryOperator<Objective> computed, UnaryOperator<byte[]> file) {
    return Jobs.run(new Verify(computed, file), dense.toString(), "--examples", "8");
  }

  private static void assertFails(Jobs.Ended run, String check) {
    assertThat(run.code()).as(run.out() + run.err()).isEqualTo(Job.NOT_VERIFIED);
    assertThat(run.out().lines())
        .anySatisfy(line -> assertThat(line).startsWith(check).contains("FAILED"));
  }

  @Test
  void aWrongGradientEndsWithItsOwnExitCode() {
    assertFails(broken(each -> new Doubled(each, SumNames.GRADIENT), file -> file), "gradient");
  }

  @Test
  void aWrongFactorEndsWithItsOwnExitCode() {
    assertFails(
        broken(each -> new Doubled(each, "A 0"), file -> file), "kfac: exact for one example");
  }

  @Test
  void aDamagedFileEndsWithItsOwnExitCode() {
    UnaryOperator<byte[]> damage =
        file -> {
          byte[] damaged = file.clone();
          for (int i = damaged.length / 2; i < damaged.length / 2 + 40; i++) {
            damaged[i] ^= 0x55;
          }
          return damaged;
        };
    assertFails(broken(each -> each, damage), "saved weights");
  }

  /** An objective that returns one of its vectors twice as large. */
  private record Doubled(Objective objective, String name) implements Objective {
    private Sums doubled(Sums sums) {
      if (!sums.hasVector(name)) {
        return sums;
      }
      Sums more = new Sums();
      more.put(name, sums.mean(name, 1));
      return sums.merge(more);
    }

    @Override
    public long size() {
      return objective.size();
    }

    @Override
    public Point at(double[] theta) {
      Point point = objective.at(theta);
      return new Point() {
        @Override
        public Sums evaluate(Request request, Vectors vectors) {
          return doubled(point.evaluate(request, vectors));
        }

        @Override
        public Sums evaluate(Request request, List<double[]> vectors) {
          return doubled(point.evaluate(request, vectors));
        }

        @Override
        public void close() {
          point.close();
        }
      };
    }

    @Override
    public Vectors prepare(List<double[]> vectors) {
      return objective.prepare(vectors);
    }

    @Override
    public Phases phases() {
      return objective.phases();
    }

    @Override
    public void close() {
      objective.close();
    }
  }

  private static void assertRefused(String message, String... args) {
    Jobs.Ended run = Jobs.run(new Verify(), args);
    assertThat(run.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(run.err().lines().toList()).containsExactly("error: " + message);
  }

  @Test
  void badInputIsRefusedByName() {
    for (int count : new int[] {0, -1, 3, 1025}) {
      assertRefused(
          "--examples must be from 4 to 1024, got " + count,
          dense.toString(),
          "--examples",
          String.valueOf(count));
    }
    Jobs.Ended run = Jobs.run(new Verify(), dense.toString(), "--set", "data.path=nowhere");
    assertThat(run.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(run.err().lines().toList()).hasSize(1);
    assertThat(run.err()).contains("nowhere");
    assertRefused(
        "a conf file is missing: for example conf/curves-autoencoder.conf", "--examples", "8");
  }
}
