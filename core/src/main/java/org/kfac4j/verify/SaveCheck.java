package org.kfac4j.verify;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.deeplearning4j.util.ModelSerializer;
import org.kfac4j.InvalidInputException;
import org.kfac4j.network.Dl4jModel;
import org.kfac4j.network.Shape;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A model written and read again: the weights are those that were written, rounded to the model's
 * own type; outputs are the same; and DL4J, given the same file, computes what kfac4j does. In
 * memory, no file is written.
 *
 * @param file what becomes of the file's bytes between writing and reading; the identity but in
 *     tests
 */
public record SaveCheck(Dl4jModel model, Sample sample, UnaryOperator<byte[]> file) {
  private static final String FILE = "memory/model.zip";
  private static final String WEIGHTS = "saved weights";
  private static final String OUTPUTS = "saved outputs";
  private static final String DL4J = "DL4J's outputs";

  public List<Finding> run(double[] theta) {
    List<Finding> findings = new ArrayList<>();
    Dl4jModel.Loaded loaded;
    try {
      Shape input = sample.network().input();
      loaded =
          Dl4jModel.read(
              new MemoryStorage(FILE, written(theta)), FILE, 0, input.isVector() ? null : input);
    } catch (InvalidInputException e) {
      return List.of(Finding.failed(WEIGHTS, String.valueOf(e.getMessage())));
    }
    double[] expected = rounded(theta);
    findings.add(
        Finding.of(
            WEIGHTS, "written and read again: equal", Vec.largest(loaded.theta(), expected), 0));
    findings.add(
        Finding.of(
            OUTPUTS,
            "of the model that was read = of the one written",
            outputError(loaded, sample.predictions(expected)),
            0));
    double[] settled = rounded(sample.settled(theta));
    findings.add(dl4j(written(settled), sample.predictions(settled)));
    return findings;
  }

  private byte[] written(double[] theta) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      model.write(theta, out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return file.apply(out.toByteArray());
  }

  private double outputError(Dl4jModel.Loaded loaded, double[] ours) {
    Sample again = new Sample(loaded.model().network(), sample.backend(), sample.examples());
    return Vec.largest(again.predictions(loaded.theta()), ours);
  }

  /** θ as the model keeps it. */
  private double[] rounded(double[] theta) {
    double[] rounded = theta.clone();
    if (model.dataType() != DataType.DOUBLE) {
      for (int i = 0; i < rounded.length; i++) {
        rounded[i] = (float) rounded[i];
      }
    }
    return rounded;
  }

  private Finding dl4j(byte[] bytes, double[] ours) {
    if (model.json().contains("NHWC")) {
      return Finding.notApplicable(DL4J, "the model takes images with channels last");
    }
    INDArray x = Nd4j.createFromArray(sample.examples().features()).castTo(DataType.DOUBLE);
    Shape in = sample.network().input();
    INDArray inputs =
        in.isVector()
            ? x.reshape(sample.count(), in.size())
            : x.reshape(sample.count(), in.channels(), in.height(), in.width());
    double[] theirs;
    try {
      theirs = outputs(bytes, inputs).dup('c').data().asDouble();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Finding.of(
        DL4J,
        "of the saved file, in float64 = ours, %d examples".formatted(sample.count()),
        Vec.largest(theirs, ours),
        Tolerances.DL4J);
  }

  private INDArray outputs(byte[] bytes, INDArray inputs) throws IOException {
    ByteArrayInputStream in = new ByteArrayInputStream(bytes);
    return model.graph()
        ? ModelSerializer.restoreComputationGraph(in, false)
            .convertDataType(DataType.DOUBLE)
            .outputSingle(inputs)
        : ModelSerializer.restoreMultiLayerNetwork(in, false)
            .convertDataType(DataType.DOUBLE)
            .output(inputs);
  }
}
