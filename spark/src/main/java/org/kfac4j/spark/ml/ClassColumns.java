package org.kfac4j.spark.ml;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.ml.attribute.AttributeGroup;
import org.apache.spark.ml.attribute.NominalAttribute;
import org.apache.spark.sql.types.Metadata;
import org.kfac4j.network.Network;

/**
 * The columns that a classifier adds, by name; those with an empty name are left out.
 *
 * @param labels names of classes, or empty
 * @param thresholds of classes, or empty
 */
record ClassColumns(
    String raw, String probability, String prediction, String[] labels, double[] thresholds) {
  List<KfacModel.Output> outputs(Network network) {
    int classes = network.outputs();
    int last = network.layers().size();
    List<KfacModel.Output> outputs = new ArrayList<>();
    outputs.add(new Softmax.Raw(Softmax.vectors(raw, size(raw, classes)), last, classes));
    outputs.add(
        new Softmax.Probability(
            Softmax.vectors(probability, size(probability, classes)), last, network.loss()));
    outputs.add(
        new Softmax.Prediction(
            Softmax.number(prediction, nominal(classes)), last, network.loss(), thresholds));
    return outputs;
  }

  private static Metadata size(String name, int classes) {
    return name.isEmpty() ? Metadata.empty() : new AttributeGroup(name, classes).toMetadata();
  }

  private Metadata nominal(int classes) {
    if (prediction.isEmpty()) {
      return Metadata.empty();
    }
    NominalAttribute attribute = NominalAttribute.defaultAttr().withName(prediction);
    return (labels.length > 0 ? attribute.withValues(labels) : attribute.withNumValues(classes))
        .toMetadata();
  }
}
